// Keeps the alert pages up to date by server-sent events, and gives the inbox its keys. The server renders every word;
// this script only puts new words into the cells of a row, and never moves a row: what is new waits behind a banner, as
// letters do in a mail program. Without it the pages are complete, they just stand still.
"use strict";

const root = document.documentElement;
const main = document.getElementById("main");
const list = document.getElementById("groups");
const form = document.getElementById("alert-form");
const pulse = document.getElementById("pulse");
const said = document.getElementById("said");
root.classList.add("has-script");
// On a narrow screen the tabs scroll sideways; the one that is open must not be the one out of sight.
document.querySelector(".alert-tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// --- news ---

const TOGETHER_MS = 300;
const AGAIN_MS = 4000;
const MOST_ROWS = 100;

let source = null;
let place = main.dataset.place;
let changed = new Set();
let fresh = new Set();
let pending = null;

function tell(state) {
  if (!pulse || pulse.dataset.state === state) return;
  pulse.dataset.state = state;
  pulse.textContent = pulse.dataset[state];
}

function listen() {
  if (source || document.hidden) return;
  const address = new URL(main.dataset.stream, location.href);
  address.searchParams.set("after", place);
  source = new EventSource(address);
  source.addEventListener("ready", () => tell("ok"));
  source.addEventListener("open", () => tell("ok"));
  source.addEventListener("alert", (event) => {
    place = event.lastEventId;
    note(JSON.parse(event.data));
  });
  source.addEventListener("reset", () => location.reload());
  source.addEventListener("end", () => {
    // The right to listen is gone: the page says so itself when it is asked for again.
    hush();
    location.reload();
  });
  source.addEventListener("error", () => {
    tell("lost");
    // A refusal ends it for good in the browser's eyes; ours is to try again a little later.
    if (source && source.readyState === EventSource.CLOSED) {
      hush();
      setTimeout(listen, AGAIN_MS);
    }
  });
}

function hush() {
  source?.close();
  source = null;
}

// A browser has six lines to a server: whoever does not look needs none.
document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
addEventListener("pagehide", hush);
addEventListener("pageshow", listen);

function note(alert) {
  if (main.dataset.alert) {
    if (String(alert.alert) === main.dataset.alert) renewPage();
    return;
  }
  changed.add(String(alert.alert));
  pending ??= setTimeout(renewRows, TOGETHER_MS);
}

// --- the inbox ---

function rowOf(number) {
  return document.getElementById(`alert-${number}`);
}

async function renewRows() {
  pending = null;
  const numbers = [...changed].slice(0, MOST_ROWS);
  numbers.forEach((one) => changed.delete(one));
  const address = new URL(main.dataset.rows, location.href);
  numbers.forEach((one) => address.searchParams.append("n", one));
  try {
    const answer = await fetch(address, { cache: "no-store" });
    if (answer.ok) show(await answer.text());
  } catch {
    // Away: whatever changed is asked for again with the next news.
    numbers.forEach((one) => changed.add(one));
  }
  if (changed.size) pending ??= setTimeout(renewRows, TOGETHER_MS);
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const row of page.querySelectorAll(".alert-row")) {
    const there = rowOf(row.dataset.number);
    if (there) put(row, there);
    else if (row.dataset.fits === "yes") fresh.add(row.dataset.number);
    else fresh.delete(row.dataset.number);
  }
  for (const count of page.querySelectorAll("#counts [data-tab]")) {
    const shown = document.querySelector(`.tab-count[data-tab="${count.dataset.tab}"]`);
    if (shown && shown.textContent !== count.textContent) shown.textContent = count.textContent;
  }
  announce();
  return page;
}

function put(row, there) {
  const isMoved = row.dataset.fits !== "yes";
  for (const cell of row.querySelectorAll("[data-cell]")) {
    const old = there.querySelector(`[data-cell="${cell.dataset.cell}"]`);
    if (!old || old.innerHTML === cell.innerHTML) continue;
    const held = old.contains(document.activeElement);
    const picked = old.querySelector("input:checked");
    if (held && cell.firstElementChild && old.firstElementChild?.tagName === cell.firstElementChild.tagName) {
      // Whoever stands on a button or a box stays there; it only learns which version it is about.
      old.firstElementChild.value = cell.firstElementChild.value;
      continue;
    }
    old.replaceChildren(...cell.childNodes);
    const box = old.querySelector("input[type=checkbox]");
    if (box && picked) box.checked = true;
    if (held) there.querySelector(".open").focus({ preventScroll: true });
  }
  there.classList.toggle("has-moved", isMoved);
  there.classList.remove("is-fresh");
  void there.offsetWidth; // begins the fading anew
  there.classList.add("is-fresh");
}

function announce() {
  const banner = document.getElementById("news");
  const link = banner.querySelector("a");
  banner.hidden = fresh.size === 0;
  link.textContent = link.dataset.words.replace("{n}", fresh.size);
  if (fresh.size) said.textContent = said.dataset.new.replace("{n}", fresh.size);
}

async function send(data, button) {
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data), headers: { "x-part": "rows" } });
  if (answer.status !== 200 && answer.status !== 409) {
    // Logged out, or something else that a page says better.
    form.requestSubmit(button ?? undefined);
    return;
  }
  const page = show(await answer.text());
  const why = [...page.querySelectorAll(".said")].map((one) => one.textContent).join(" · ");
  if (why) flash(why);
}

function flash(text) {
  const place = document.getElementById("flashes");
  const box = document.createElement("div");
  box.className = "flash flash-warn";
  const mark = document.createElement("span");
  mark.className = "mark-warn";
  mark.setAttribute("aria-hidden", "true");
  const words = document.createElement("p");
  words.textContent = text;
  box.append(mark, words);
  place.classList.add("is-toast");
  place.replaceChildren(box);
}

function acknowledge(button) {
  const data = new FormData(form);
  data.delete("pick");
  data.set("one", button.value);
  send(data, button);
}

// --- keys ---

let here = null;

function rows() {
  return list ? [...list.querySelectorAll(".alert-row")] : [];
}

function go(row) {
  if (!row) return;
  here?.classList.remove("is-here");
  here = row;
  row.classList.add("is-here");
  row.querySelector(".open").focus();
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  const at = here ? all.indexOf(here) : -1;
  go(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

const KEYS = {
  j: () => step(1),
  k: () => step(here ? -1 : 1),
  x: () => here?.querySelector('input[type="checkbox"]')?.click(),
  a: () => {
    const button = here?.querySelector(".ack");
    if (button) acknowledge(button);
  },
  r: () => here && location.assign(`${here.querySelector(".open").href}#resolve`),
  s: () => here && location.assign(`/alerts/silences?alert=${here.dataset.number}#new-silence`),
  n: () => {
    if (!document.getElementById("news").hidden) document.querySelector("#news a").click();
  },
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  const does = KEYS[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

if (list) {
  document.addEventListener("keydown", onKey);
  list.addEventListener("focusin", (event) => {
    const row = event.target.closest(".alert-row");
    if (!row || row === here) return;
    here?.classList.remove("is-here");
    here = row;
    row.classList.add("is-here");
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest(".ack");
    if (!button) return;
    event.preventDefault();
    acknowledge(button);
  });
  const all = document.getElementById("pick-all");
  all?.addEventListener("change", () => {
    for (const box of list.querySelectorAll('input[name="pick"]')) box.checked = all.checked;
  });
  const deed = document.getElementById("bulk-do");
  const needs = () => deed.toggleAttribute("data-needs", deed.value === "resolve");
  deed?.addEventListener("change", needs);
  if (deed) needs();
}

// --- one alert ---

let renewing = false;

async function renewPage() {
  if (renewing) return;
  renewing = true;
  try {
    const answer = await fetch(location.pathname, { cache: "no-store", headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of page.querySelectorAll("[data-part]")) {
      const shown = main.querySelector(`[data-part="${part.dataset.part}"]`);
      if (shown && !shown.contains(document.activeElement)) shown.replaceWith(document.adoptNode(part));
    }
  } catch {
    // Away: the link below tries again by hand.
  }
  // Forms keep the version that they were made from, so that nobody decides on what they have not seen.
  document.getElementById("changed").hidden = false;
  renewing = false;
}

// --- evidence ---

const plots = new Map();
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", day: "2-digit", month: "2-digit" });

function colour(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

function plain(value) {
  const size = Math.abs(value);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits }).replaceAll(",", "\u202f").replace("-", "\u2212");
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

// One value for each moment of either: the limit holds until the next one.
function joined(times, values, quality, limits, span) {
  const all = [...new Set([...times, ...limits.map(([at]) => at), ...span])].sort((a, b) => a - b);
  const known = new Map(times.map((at, n) => [at, n]));
  let limit = limits.length ? limits[0][1] : null;
  let next = 0;
  const rows = { time: all, value: [], limit: [], doubtful: [] };
  for (const at of all) {
    while (next < limits.length && limits[next][0] <= at) limit = limits[next++][1];
    const n = known.get(at);
    // A moment that only the limit has lifts no pen; a reading without a value does.
    rows.value.push(n === undefined ? undefined : values[n]);
    rows.doubtful.push(n !== undefined && quality[n] === "uncertain" ? values[n] : null);
    rows.limit.push(limit);
  }
  return rows;
}

function shade(breach) {
  return (chart) => {
    const { ctx, bbox } = chart;
    const left = Math.max(chart.valToPos(breach[0], "x", true), bbox.left);
    const right = Math.min(chart.valToPos(breach[1], "x", true), bbox.left + bbox.width);
    if (right <= left) return;
    ctx.save();
    ctx.globalAlpha = 0.14;
    ctx.fillStyle = colour("--bad");
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
    ctx.restore();
  };
}

function draw(box) {
  const read = (name) => JSON.parse(box.dataset[name]);
  const [times, values, quality, limits, breach, span] = ["times", "values", "quality", "limits", "breach", "span"].map(read);
  if (!values.some((one) => one !== null)) return;
  const rows = joined(times, values, quality, limits, span);
  const readout = box.previousElementSibling;
  const unit = box.dataset.unit;
  const isLong = span[1] - span[0] > 2 * 86400;
  plots.get(box)?.destroy();
  box.replaceChildren();
  const series = [
    {},
    { stroke: colour("--accent"), width: 2, points: { show: times.length < 40, size: 5 } },
    { stroke: colour("--bad"), width: 1.5, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } },
    { stroke: colour("--warn"), width: 0, paths: () => null, points: { show: true, size: 8, stroke: colour("--warn"), width: 2 } },
  ];
  const options = {
    width: box.clientWidth,
    height: box.clientHeight,
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), "Asia/Shanghai"),
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false }, points: { size: 7 } },
    scales: { x: { range: (_, low, high) => [low, high] }, y: { range: (_, low, high) => room(low, high) } },
    axes: [
      axis({ size: 30, space: 62, values: (_, at) => at.map((s) => (isLong ? day : clock).format(s * 1000)) }),
      axis({ size: 66, values: (_, at) => at.map(plain) }),
    ],
    series,
    hooks: { drawClear: [shade(breach)], setCursor: [(chart) => readOut(chart, readout, unit, box.dataset)] },
  };
  plots.set(box, new uPlot(options, [rows.time, rows.value, rows.limit, rows.doubtful], box));
}

function room(low, high) {
  if (low === null || high === null) return [0, 1];
  const some = (high - low || Math.abs(high) || 1) * 0.08;
  return [low >= 0 && low - some < 0 ? 0 : low - some, high + some];
}

function readOut(chart, readout, unit, words) {
  const at = chart.cursor.idx;
  if (at == null) {
    readout.textContent = "\u00a0";
    return;
  }
  const [times, values, limits] = chart.data;
  const value = values[at];
  const limit = limits[at] == null ? "" : `  ·  ${words.limitWord} ${plain(limits[at])}`;
  readout.textContent = `${dayAndClock.format(times[at] * 1000)}  ${value == null ? words.badWord : `${plain(value)} ${unit}`}${limit}`;
}

const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (target.clientWidth === 0) continue;
    const plot = plots.get(target);
    if (plot) plot.setSize({ width: target.clientWidth, height: target.clientHeight });
    else draw(target);
  }
});
for (const box of document.querySelectorAll(".evidence-plot")) sizes.observe(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...plots.keys()].forEach(draw));

listen();
