// Keeps the page "the park now" up to date. The server renders every word and number, in the visitor's language;
// this script only carries the new ones into the page, and draws the load curve. Without it the page is complete,
// it just stands still.
"use strict";

const LIVE_EVERY_MS = 2000;
const CURVE_EVERY_MS = 60000;
const GIVE_UP_MS = 8000;
const SLOWEST_MS = 15000;

const main = document.getElementById("main");
const pulse = document.getElementById("pulse");

function tell(state) {
  if (pulse.dataset.state === state) return;
  pulse.dataset.state = state;
  pulse.textContent = pulse.dataset[state];
  main.classList.toggle("is-stale", state === "lost");
}

async function get(url) {
  const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(GIVE_UP_MS) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

// --- live values ---

function liveCells(root) {
  return new Map([...root.querySelectorAll("[data-live]")].map((cell) => [cell.dataset.live, cell]));
}

function carryOver(from, to) {
  for (const name of ["class", "title", "width"]) {
    const value = from.getAttribute(name);
    if (value === to.getAttribute(name)) continue;
    if (value === null) to.removeAttribute(name);
    else to.setAttribute(name, value);
  }
  // Only what differs is touched, so that a selection or a reader's place survives.
  if (from.innerHTML !== to.innerHTML) to.replaceChildren(...from.childNodes);
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const cells = liveCells(fresh);
  const shown = liveCells(main);
  const same = cells.size === shown.size && [...cells.keys()].every((key) => shown.has(key));
  if (same) {
    for (const [key, cell] of cells) carryOver(cell, shown.get(key));
    return;
  }
  // A device came or went: the parts are replaced whole.
  for (const part of fresh.querySelectorAll("[data-part]")) {
    main.querySelector(`[data-part="${part.dataset.part}"]`)?.replaceWith(document.adoptNode(part));
  }
}

let failures = 0;

async function keepLive() {
  if (!document.hidden) {
    try {
      show(await (await get(main.dataset.liveUrl)).text());
      failures = 0;
      tell("ok");
    } catch {
      // Away or restarting: said on the page, tried again, a little later each time.
      failures += 1;
      tell("lost");
    }
  }
  setTimeout(keepLive, Math.min(LIVE_EVERY_MS * 2 ** Math.min(failures, 4), SLOWEST_MS));
}

// --- load curve ---

const place = document.getElementById("load-chart");
const readout = document.getElementById("readout");
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });
let plot = null;
let curve = null;

function kilowatts(value) {
  return value == null ? "—" : `${Math.round(value).toLocaleString("en-US").replaceAll(",", "\u202f")} kW`;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function readOut(chart) {
  const at = chart.cursor.idx;
  if (at == null) {
    readout.textContent = "\u00a0";
    return;
  }
  const [time, before, load] = chart.data;
  readout.textContent =
    `${clock.format(time[at] * 1000)}  ${place.dataset.load} ${kilowatts(load[at])}` +
    `  ·  ${place.dataset.before} ${kilowatts(before[at])}`;
}

function axis(extra) {
  return {
    stroke: colour("--soft"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    ...extra,
  };
}

function options() {
  const steps = uPlot.paths.stepped({ align: 1 });
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), "Asia/Shanghai"),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max((high ?? 1) * 1.08, 1)] } },
    axes: [
      axis({ size: 30, incrs: [3600, 7200, 10800, 14400, 21600, 43200], space: 52, values: (_, at) => at.map((s) => clock.format(s * 1000)) }),
      axis({ size: 62, values: (_, at) => at.map((v) => v.toLocaleString("en-US").replaceAll(",", "\u202f")) }),
    ],
    series: [
      {},
      { stroke: colour("--before"), width: 1.5, dash: [5, 4], paths: steps, points: { show: false } },
      { stroke: colour("--accent"), fill: colour("--accent-wash"), width: 2, paths: steps, points: { show: false } },
    ],
    hooks: { setCursor: [readOut] },
  };
}

function draw() {
  plot?.destroy();
  plot = null;
  place.replaceChildren();
  const known = curve.load.some((v) => v !== null) || curve.day_before.some((v) => v !== null);
  if (!known) {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = place.dataset.empty;
    place.append(note);
    return;
  }
  plot = new uPlot(options(), [curve.time, curve.day_before, curve.load], place);
}

async function keepCurve() {
  if (!document.hidden || curve === null) {
    try {
      curve = await (await get(place.dataset.url)).json();
      if (plot) plot.setData([curve.time, curve.day_before, curve.load]);
      else draw();
    } catch {
      // The live values say when the server is away; the curve just waits for its next turn.
    }
  }
  setTimeout(keepCurve, curve === null ? LIVE_EVERY_MS * 5 : CURVE_EVERY_MS);
}

new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: place.clientHeight })).observe(place);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => curve && draw());

keepLive();
keepCurve();
