/*
 * Draws annotations over a graph: spans as pale areas, their beginnings as lines. Grafana's own drawing of them is part
 * of its program; this shows that they are asked for, and where they fall.
 */
const seen = new WeakSet();

export function marksOn(builder, frames) {
  if (seen.has(builder)) {
    return;
  }
  seen.add(builder);
  builder.addHook('draw', (plot) => {
    for (const frame of frames) {
      const at = (name) => frame.fields.find((field) => field.name === name)?.values ?? [];
      const [starts, ends, colors] = [at('time'), at('timeEnd'), at('color')];
      starts.forEach((start, n) => drawOne(plot, start, ends[n] ?? start, colors[n] ?? 'red'));
    }
  });
}

function drawOne(plot, start, end, color) {
  const { left, top, width, height } = plot.bbox;
  const within = (time) => Math.min(Math.max(plot.valToPos(time, 'x', true), left), left + width);
  plot.ctx.save();
  plot.ctx.fillStyle = color;
  plot.ctx.globalAlpha = 0.12;
  plot.ctx.fillRect(within(start), top, within(end) - within(start), height);
  plot.ctx.globalAlpha = 0.9;
  plot.ctx.fillRect(within(start), top, 1, height);
  plot.ctx.restore();
}
