// Draws the chart of the stages from the table below it; without this script the table has small bars of its own.
"use strict";

const place = document.getElementById("stage-chart");
const rows = [...document.querySelectorAll("#stage-table tbody tr")];
let plot = null;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function column(name) {
  return rows.map((row) => (row.dataset[name] === "" ? null : Number(row.dataset[name])));
}

function shortened(text) {
  const most = Math.max(3, Math.floor((place.clientWidth / rows.length - 6) / (/[^ -~]/.test(text) ? 12 : 6.6)));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function axis(extra) {
  return {
    stroke: colour("--soft"),
    grid: { show: false },
    ticks: { show: false },
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    ...extra,
  };
}

function bars(offset) {
  return uPlot.paths.bars({ size: [0.24, 34], align: offset });
}

function options() {
  const series = (stroke, align) => ({ stroke, fill: stroke, width: 0, paths: bars(align), points: { show: false } });
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, rows.length - 0.4] }, y: { range: (_, __, high) => [0, Math.max((high ?? 1) * 1.1, 1)] } },
    axes: [
      axis({ size: 30, splits: () => rows.map((_, n) => n), values: (_, at) => at.map((n) => shortened(rows[n].dataset.stage)) }),
      axis({ size: 44, grid: { stroke: colour("--line"), width: 1 } }),
    ],
    series: [{}, series(colour("--accent-wash-strong"), -1), series(colour("--accent"), -1), series(colour("--before"), 1)],
  };
}

function draw() {
  plot?.destroy();
  const data = [rows.map((_, n) => n), column("utilityP90"), column("utility"), column("customer")];
  plot = new uPlot(options(), data, place);
}

if (place) {
  place.classList.add("is-drawn");
  document.getElementById("stage-legend").hidden = false;
  draw();
  let width = place.clientWidth;
  new ResizeObserver(() => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    draw();
  }).observe(place);
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
    matchMedia(query).addEventListener("change", draw);
  }
}
