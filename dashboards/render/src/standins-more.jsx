/*
 * More drawings of ours: values over two axes, and a plain list for whatever has no drawing. As in standins.jsx, values,
 * units, colours and names come out of Grafana's field configuration, and each is stamped as a stand-in.
 */
import { buildHistogram, FieldType, formattedValueToString, getFieldDisplayName, histogramFieldsToFrame } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import React from 'react';

const text = (field, value) => formattedValueToString(field.display(value));
const numbers = (frame) => frame?.fields.filter((field) => field.type === FieldType.number) ?? [];
const Empty = () => <div className="smartpark-nothing">No data</div>;

/** Columns of time, a row per series (or per value of the first text), darker where the number is larger. */
export function Heatmap({ data, width, height }) {
  const theme = useTheme2();
  const rows = data.series.flatMap((frame) => numbers(frame).map((field) => ({ frame, field })));
  const most = Math.max(...rows.flatMap(({ field }) => Array.from(field.values).filter((v) => v != null)), 0);
  if (!rows.length || !most) {
    return <Empty />;
  }
  const count = Math.max(...rows.map(({ field }) => field.values.length));
  const [wide, tall] = [(width - 70) / count, (height - 20) / rows.length];
  const first = rows[0].frame.fields.find((field) => field.type === FieldType.time) ?? rows[0].frame.fields[0];
  return (
    <svg width={width} height={height} fontSize={10} fill={theme.colors.text.primary}>
      {rows.map(({ frame, field }, row) => (
        <g key={row} transform={`translate(70, ${row * tall})`}>
          <text x={-66} y={tall / 2 + 4}>{tall > 8 || row % 3 === 0 ? getFieldDisplayName(field, frame, data.series).slice(0, 9) : ''}</text>
          {Array.from(field.values).map((value, n) => value != null && (
            <rect key={n} x={n * wide} width={Math.max(wide - 1, 1)} height={Math.max(tall - 1, 1)} fill="#ff9830" opacity={0.08 + (0.92 * value) / most} />
          ))}
        </g>
      ))}
      <text x={70} y={height - 6}>{text(first, first.values[0])}</text>
      <text x={width} y={height - 6} textAnchor="end">{text(first, first.values[first.values.length - 1])}</text>
      <text x={width / 2} y={height - 6} textAnchor="middle">≤ {text(rows[0].field, most)}</text>
    </svg>
  );
}

/** How often each size occurs; the classes are those of @grafana/data. */
export function Histogram({ data, options, width, height }) {
  const theme = useTheme2();
  const built = buildHistogram(data.series, { bucketSize: options.bucketSize, bucketOffset: options.bucketOffset, combine: options.combine });
  if (!built?.counts?.length) {
    return <Empty />;
  }
  const frame = histogramFieldsToFrame(built, theme);
  const [low, high, ...counts] = frame.fields;
  const most = Math.max(...counts.flatMap((field) => Array.from(field.values)), 1);
  const wide = width / frame.length;
  const name = (value) => (numbers(data.series[0])[0] ? text(numbers(data.series[0])[0], value) : String(value));
  return (
    <svg width={width} height={height} fontSize={11} fill={theme.colors.text.primary}>
      {Array.from(low.values).map((start, n) => (
        <g key={n} transform={`translate(${n * wide}, 0)`}>
          <rect x={1} y={height - 24 - ((height - 44) * counts[0].values[n]) / most} width={wide - 2}
            height={((height - 44) * counts[0].values[n]) / most} fill="#73bf69" opacity={0.7} />
          <text x={2} y={height - 8}>{name(start)}</text>
          <text x={wide / 2} y={height - 28 - ((height - 44) * counts[0].values[n]) / most} textAnchor="middle">{counts[0].values[n]}</text>
        </g>
      ))}
    </svg>
  );
}

/** The two numbers of each row that the panel names as a point, with its text beside it. */
export function Scatter({ data, options, width, height }) {
  const theme = useTheme2();
  const frame = data.series.find((one) => one.length);
  const named = (side) => frame?.fields.find((field) => field.name === options.series?.[0]?.[side]?.matcher?.options);
  const [x, y] = [named('x'), named('y')];
  if (!x || !y) {
    return <Empty />;
  }
  const label = frame.fields.find((field) => field.type === FieldType.string);
  const most = (field) => Math.max(...Array.from(field.values).filter((v) => v != null), 0) || 1;
  const [right, top] = [most(x), most(y)];
  return (
    <svg width={width} height={height} fontSize={11} fill={theme.colors.text.primary}>
      {Array.from(x.values).map((value, n) => value != null && y.values[n] != null && (
        <g key={n} transform={`translate(${40 + ((width - 140) * value) / right}, ${height - 30 - ((height - 60) * y.values[n]) / top})`}>
          <circle r={5} fill="#5794f2" />
          <text x={8} y={4}>{label ? text(label, label.values[n]) : ''}</text>
        </g>
      ))}
      <text x={width - 4} y={height - 8} textAnchor="end">{getFieldDisplayName(x, frame)} ≤ {text(x, right)}</text>
      <text x={4} y={14}>{getFieldDisplayName(y, frame)} ≤ {text(y, top)}</text>
    </svg>
  );
}

/** Names, and how the last value of each is shown. */
export function FieldList({ data, height }) {
  const fields = data.series.flatMap((frame) => frame.fields.map((field) => ({ frame, field })));
  if (!fields.some(({ field }) => field.values.length)) {
    return <Empty />;
  }
  return (
    <ul style={{ height, overflow: 'hidden', listStyle: 'none', fontSize: 12 }}>
      {fields.map(({ frame, field }, n) => (
        <li key={n}>{getFieldDisplayName(field, frame, data.series)}: {text(field, field.values[field.values.length - 1])}</li>
      ))}
    </ul>
  );
}
