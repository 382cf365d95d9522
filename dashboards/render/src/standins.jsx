/*
 * Drawings of ours for panels whose components are not on npm. Values, units, colours and names come out of Grafana's
 * field configuration all the same; shapes do not. Each is stamped as a stand-in.
 */
import { FieldType, formattedValueToString, getFieldDisplayName, getFieldDisplayValues } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import React from 'react';

const text = (field, value) => formattedValueToString(field.display(value));
const color = (field, value) => field.display(value).color ?? 'gray';

export function Gauge({ data, options, fieldConfig, replaceVariables, width, height, timeZone }) {
  const theme = useTheme2();
  const values = getFieldDisplayValues({
    fieldConfig, reduceOptions: options.reduceOptions, replaceVariables, theme, data: data.series, timeZone,
  });
  const each = width / Math.max(values.length, 1);
  return (
    <div style={{ display: 'flex' }}>
      {values.map((value, n) => <Dial key={n} value={value} width={each} height={height} theme={theme} isNamed={values.length > 1} />)}
    </div>
  );
}

function Dial({ value, width, height, theme, isNamed }) {
  const { min = 0, max = 100 } = value.field;
  const share = Math.min(Math.max((value.display.numeric - min) / (max - min), 0), 1) || 0;
  const radius = Math.max(Math.min(width / 2, height - 30) - 8, 10);
  const arc = Math.PI * radius;
  const path = `M ${width / 2 - radius} ${radius + 14} A ${radius} ${radius} 0 0 1 ${width / 2 + radius} ${radius + 14}`;
  const stroke = { fill: 'none', strokeWidth: Math.max(radius / 5, 6) };
  return (
    <svg width={width} height={height}>
      <path d={path} {...stroke} stroke={theme.colors.background.secondary} />
      <path d={path} {...stroke} stroke={value.display.color} strokeDasharray={`${arc * share} ${arc}`} />
      <text x={width / 2} y={radius + 12} textAnchor="middle" fill={value.display.color} fontSize={Math.max(radius / 3, 14)}>
        {formattedValueToString(value.display)}
      </text>
      {isNamed && (
        <text x={width / 2} y={radius - 4} textAnchor="middle" fill={theme.colors.text.primary} fontSize={11}>{value.display.title}</text>
      )}
    </svg>
  );
}

export function BarChart({ data, options, width, height }) {
  const theme = useTheme2();
  const frame = data.series[0];
  if (!frame?.length) {
    return <div className="smartpark-nothing">No data</div>;
  }
  const x = frame.fields.find((field) => field.name === options.xField) ?? frame.fields[0];
  const shown = frame.fields.filter((field) => field.type === FieldType.number && field !== x);
  const most = Math.max(...shown.flatMap((field) => Array.from(field.values).filter((v) => v != null)), 0) || 1;
  const step = width / frame.length;
  const room = height - 60;
  return (
    <svg width={width} height={height} fill={theme.colors.text.primary} fontSize={11}>
      {Array.from(x.values).map((name, row) => (
        <g key={row} transform={`translate(${row * step}, 0)`}>
          {shown.map((field, n) => <Column key={n} field={field} value={field.values[row]} most={most} room={room}
            left={step * (0.1 + (0.8 * n) / shown.length)} wide={(step * 0.76) / shown.length} />)}
          <text x={step / 2} y={room + 32} textAnchor="middle">{text(x, name).slice(0, options.xTickLabelMaxLength ?? 12)}</text>
        </g>
      ))}
      {shown.map((field, n) => (
        <text key={n} x={10 + n * 150} y={height - 6} fill={color(field, field.values[0])}>■ {getFieldDisplayName(field, frame)}</text>
      ))}
    </svg>
  );
}

function Column({ field, value, most, room, left, wide }) {
  const tall = ((value ?? 0) / most) * (room - 20);
  return (
    <g>
      <rect x={left} y={room + 16 - tall} width={wide} height={tall} fill={color(field, value)} opacity={0.8} />
      {value != null && <text x={left + wide / 2} y={room + 12 - tall} textAnchor="middle">{text(field, value)}</text>}
    </g>
  );
}

/** One line per field: a state as long as it holds, in its colour and with its text. */
export function StateRows({ data, timeRange, width, height }) {
  const theme = useTheme2();
  const rows = data.series.flatMap((frame) => {
    const time = frame.fields.find((field) => field.type === FieldType.time);
    const fields = frame.fields.filter((field) => field !== time && field.type !== FieldType.time);
    return time ? fields.map((field) => ({ frame, time, field })) : [];
  });
  if (!rows.length) {
    return <div className="smartpark-nothing">No data</div>;
  }
  const tall = Math.min((height - 10) / rows.length, 40);
  return (
    <svg width={width} height={height} fill={theme.colors.text.primary} fontSize={11}>
      {rows.map((row, n) => (
        <g key={n} transform={`translate(0, ${n * tall})`}>
          <text x={0} y={tall / 2 + 4}>{getFieldDisplayName(row.field, row.frame, data.series)}</text>
          <g transform="translate(140, 0)"><Spans {...row} range={timeRange} width={width - 140} tall={tall * 0.9} /></g>
        </g>
      ))}
    </svg>
  );
}

function Spans({ time, field, range, width, tall }) {
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const at = (moment) => (width * (Math.min(Math.max(moment, from), to) - from)) / (to - from);
  const spans = [];
  Array.from(field.values).forEach((value, n) => {
    if (spans.length && spans[spans.length - 1].value === value) {
      return;
    }
    spans.push({ value, start: time.values[n] });
  });
  return spans.map(({ value, start }, n) => {
    const end = spans[n + 1]?.start ?? to;
    if (value == null) {
      return null;
    }
    return (
      <g key={n}>
        <rect x={at(start)} y={2} width={Math.max(at(end) - at(start), 1)} height={tall - 2} fill={color(field, value)} opacity={0.75} />
        {at(end) - at(start) > 60 && <text x={at(start) + 4} y={tall / 2 + 4}>{text(field, value)}</text>}
      </g>
    );
  });
}

/** Nodes in columns by how far they are from a node without a parent, and edges between them. */
export function NodeGraph({ data, width, height }) {
  const theme = useTheme2();
  const [edges, nodes] = [data.series.find((f) => has(f, 'source')), data.series.find((f) => !has(f, 'source'))];
  if (!nodes?.length) {
    return <div className="smartpark-nothing">No data</div>;
  }
  const links = rowsOf(edges);
  const found = rowsOf(nodes);
  const depths = depthsOf(found, links);
  const columns = Math.max(...found.map((node) => depths[node.id])) + 1;
  const places = {};
  for (let depth = 0; depth < columns; depth += 1) {
    const here = found.filter((node) => depths[node.id] === depth);
    here.forEach((node, n) => {
      places[node.id] = [(width * (depth + 0.5)) / columns, (height * (n + 0.5)) / here.length];
    });
  }
  return (
    <svg width={width} height={height} fill={theme.colors.text.primary} fontSize={11}>
      {links.filter((link) => places[link.source] && places[link.target]).map((link) => (
        <line key={link.id} x1={places[link.source][0]} y1={places[link.source][1]} x2={places[link.target][0]}
          y2={places[link.target][1]} stroke={theme.colors.text.secondary} opacity={0.4} />
      ))}
      {found.map((node) => <Node key={node.id} node={node} frame={nodes} place={places[node.id]} theme={theme} />)}
    </svg>
  );
}

function Node({ node, frame, place: [x, y], theme }) {
  const main = frame.fields.find((field) => field.name.toLowerCase() === 'mainstat');
  return (
    <g>
      <circle cx={x} cy={y} r={14} fill={theme.colors.background.secondary} stroke={theme.colors.primary.main} strokeWidth={2} />
      <text x={x} y={y + 26} textAnchor="middle">{node.title ?? node.id}</text>
      {main && <text x={x} y={y + 4} textAnchor="middle" fontSize={9}>{main.type === FieldType.number ? text(main, node.mainstat) : node.mainstat}</text>}
    </g>
  );
}

const has = (frame, name) => frame.fields.some((field) => field.name === name);

function rowsOf(frame) {
  return Array.from({ length: frame?.length ?? 0 }, (_, row) => Object.fromEntries(
    frame.fields.map((field) => [field.name.toLowerCase(), field.values[row]]),
  ));
}

function depthsOf(nodes, links) {
  const depths = Object.fromEntries(nodes.map((node) => [node.id, 0]));
  for (let round = 0; round < nodes.length; round += 1) {
    for (const { source, target } of links) {
      if (source in depths && target in depths && depths[target] < depths[source] + 1 && depths[source] < nodes.length) {
        depths[target] = depths[source] + 1;
      }
    }
  }
  return depths;
}
