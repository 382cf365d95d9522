// Draws the load duration curves of a request's capacity with axes, in place of the plain drawing that the server
// sends. Everything else on the page works without it.
"use strict";

document.documentElement.classList.add("has-script");

const plots = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function thousands(value) {
  return Math.round(value).toLocaleString("en-US").replaceAll(",", "\u202f");
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

function level(value, count) {
  return Array(count).fill(value);
}

function draw(place) {
  plots.get(place)?.destroy();
  const curve = JSON.parse(place.dataset.curve);
  const limits = JSON.parse(place.dataset.limits).filter((one) => one !== null);
  const ahead = place.dataset.forecast ? Number(place.dataset.forecast) : null;
  const count = curve.share.length;
  const lines = limits.map((one) => ({ values: level(one, count), stroke: colour("--bad"), width: 1.5 }));
  if (ahead !== null) lines.push({ values: level(ahead, count), stroke: colour("--warn"), width: 1.5, dash: [2, 4] });
  const top = Math.max(1, ...curve.after_kva, ...limits, ahead ?? 0) * 1.06;
  place.replaceChildren();
  const options = {
    width: place.clientWidth,
    height: place.clientHeight,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: false, range: [0, 100] }, y: { range: [0, top] } },
    axes: [
      axis({ size: 34, space: 50, values: (_, at) => at.map((one) => `${one} %`) }),
      axis({ size: 66, values: (_, at) => at.map((one) => (one === 0 ? "0" : thousands(one))) }),
    ],
    series: [
      {},
      { stroke: colour("--before"), width: 1.5, dash: [5, 4], points: { show: false } },
      { stroke: colour("--accent"), fill: colour("--accent-wash"), width: 2, points: { show: false } },
      ...lines.map(({ stroke, width, dash }) => ({ stroke, width, dash, points: { show: false } })),
    ],
  };
  const data = [curve.share, curve.load_kva, curve.after_kva, ...lines.map((one) => one.values)];
  plots.set(place, new uPlot(options, data, place));
}

// A curve in a closed part of the page has no width; it is drawn when the part is opened.
const sizes = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (target.clientWidth === 0) continue;
    const plot = plots.get(target);
    if (plot) plot.setSize({ width: target.clientWidth, height: target.clientHeight });
    else draw(target);
  }
});

function watch(root) {
  for (const place of root.querySelectorAll(".duration[data-curve]")) sizes.observe(place);
}

function drawAgain() {
  for (const place of [...plots.keys()]) {
    if (place.isConnected) draw(place);
    else plots.delete(place);
  }
}

watch(document);
document.addEventListener("htmx:afterSettle", () => watch(document));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAgain);
