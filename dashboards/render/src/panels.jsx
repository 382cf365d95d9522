/*
 * Panels that draw with Grafana's own components. The panel plugins themselves are part of Grafana's program and not on
 * npm: what stands here is the thin layer between a panel's options and those components, and it is ours.
 */
import { cacheFieldDisplayNames, FieldColorModeId, FieldType, getFieldDisplayValues, PanelPlugin, renderTextPanelMarkdown, VizOrientation, getDisplayValueAlignmentFactors } from '@grafana/data';
import { BarGauge, BigValue, TimeSeries, VizRepeater, useTheme2 } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { sceneUtils } from '@grafana/scenes';
import React from 'react';
import { BarChart, Gauge, NodeGraph, StateRows } from './standins.jsx';
import { FieldList, Heatmap, Histogram, Scatter } from './standins-more.jsx';
import { marksOn } from './marks.js';

const NO_EDITOR = () => null;
const GRAPH = ['drawStyle', 'lineInterpolation', 'lineWidth', 'lineStyle', 'fillOpacity', 'fillBelowTo', 'gradientMode',
  'showPoints', 'pointSize', 'spanNulls', 'stacking', 'barAlignment', 'barWidthFactor', 'barMaxWidth', 'thresholdsStyle',
  'axisPlacement', 'axisLabel', 'axisWidth', 'axisSoftMin', 'axisSoftMax', 'axisGridShow', 'axisCenteredZero',
  'axisColorMode', 'axisBorderShow', 'scaleDistribution', 'hideFrom', 'transform', 'insertNulls'];
const TABLE = ['align', 'width', 'minWidth', 'cellOptions', 'inspect', 'hidden', 'filterable', 'wrapText',
  'wrapHeaderText', 'footer', 'tooltip', 'hideFrom'];
const ROWS = ['fillOpacity', 'lineWidth', 'spanNulls', 'insertNulls', 'hideFrom'];
const BARS = ['fillOpacity', 'lineWidth', 'gradientMode', 'hideFrom', 'axisPlacement', 'axisLabel', 'axisSoftMin',
  'axisSoftMax', 'axisWidth', 'axisGridShow', 'scaleDistribution', 'thresholdsStyle'];
const POINTS = ['show', 'pointSize', 'pointShape', 'fillOpacity', 'lineWidth', 'lineStyle', 'hideFrom', 'axisPlacement',
  'axisLabel', 'axisWidth', 'axisSoftMin', 'axisSoftMax', 'axisGridShow', 'scaleDistribution'];

/** Catches what a component throws, so that the report can say which panel it was. */
class Watched extends React.Component {
  state = { error: null };

  static getDerivedStateFromError(error) {
    return { error };
  }

  componentDidCatch(error) {
    (window.smartparkTrouble[this.props.panel] ??= []).push(String(error?.stack ?? error).split('\n').slice(0, 3).join(' '));
  }

  render() {
    return this.state.error ? <pre style={{ color: 'red' }}>{String(this.state.error)}</pre> : this.props.children;
  }
}

function register(id, Panel, { custom = [], color, defaults = {}, standIn = false } = {}) {
  const Whole = (props) => (
    <Watched panel={props.id}>
      <Panel {...props} />
      {standIn && <Stamp />}
    </Watched>
  );
  const plugin = new PanelPlugin(Whole);
  plugin.setDataSupport?.({ annotations: true, alertStates: false });
  plugin.useFieldConfig({
    standardOptions: color ? { color: { defaultValue: { mode: color } } } : {},
    useCustomConfig: (builder) => custom.forEach((path) => builder.addCustomEditor({
      id: path, path, name: path, editor: NO_EDITOR, override: NO_EDITOR, process: (value) => value, shouldApply: () => true, defaultValue: defaults[path],
    })),
  });
  sceneUtils.registerRuntimePanelPlugin({ pluginId: id, plugin });
}

function Stamp() {
  return (
    <div className="smartpark-stand-in">
      {window.smartparkLanguage === 'en' ? 'stand-in: not drawn by Grafana’s code' : '代绘：非 Grafana 代码所画'}
    </div>
  );
}

function Nothing({ fieldConfig }) {
  return <div className="smartpark-nothing">{fieldConfig?.defaults?.noValue ?? 'No data'}</div>;
}

const filled = (data) => data.series.some((frame) => frame.length > 0 && frame.fields.length > 0);

function Series({ data, timeRange, timeZone, width, height, options, replaceVariables, fieldConfig }) {
  if (!filled(data)) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  return (
    <TimeSeries frames={data.series} structureRev={data.structureRev} timeRange={timeRange} timeZone={timeZone}
      width={width} height={height} legend={options.legend} options={options} replaceVariables={replaceVariables}>
      {(builder) => { marksOn(builder, data.annotations ?? []); return null; }}
    </TimeSeries>
  );
}

function Trend({ data, timeRange, timeZone, width, height, options, fieldConfig }) {
  const frame = data.series[0];
  const x = frame?.fields.find((field) => field.name === options.xField);
  if (!x) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  const aligned = { ...frame, fields: [x, ...frame.fields.filter((field) => field !== x && field.type === FieldType.number)] };
  return (
    <TimeSeries frames={[aligned]} structureRev={data.structureRev} timeRange={timeRange} timeZone={timeZone} width={width}
      height={height} legend={options.legend} options={options} preparePlotFrame={() => aligned} />
  );
}

function valuesOf({ data, options, fieldConfig, replaceVariables, timeZone }, theme) {
  return getFieldDisplayValues({
    fieldConfig, reduceOptions: options.reduceOptions, replaceVariables, theme, data: data.series, timeZone,
  });
}

function Stat(props) {
  const theme = useTheme2();
  const { options, width, height, data, renderCounter } = props;
  const values = () => valuesOf(props, theme);
  return (
    <VizRepeater getValues={values} source={data} renderCounter={renderCounter} width={width} height={height} autoGrid
      itemSpacing={3} orientation={options.orientation === 'auto' ? VizOrientation.Auto : options.orientation}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width: w, height: h, count, alignmentFactors }) => (
        <BigValue value={value.display} count={count} width={w} height={h} theme={theme} colorMode={options.colorMode}
          graphMode={options.graphMode} justifyMode={options.justifyMode} textMode={options.textMode}
          alignmentFactors={alignmentFactors} wideLayout={options.wideLayout} />
      )} />
  );
}

function Bars(props) {
  const theme = useTheme2();
  const { options, width, height, data, renderCounter } = props;
  return (
    <VizRepeater getValues={() => valuesOf(props, theme)} source={data} renderCounter={renderCounter} width={width}
      height={height} itemSpacing={10} minVizWidth={options.minVizWidth} minVizHeight={options.minVizHeight}
      maxVizHeight={options.maxVizHeight} getAlignmentFactors={getDisplayValueAlignmentFactors}
      orientation={options.orientation === 'auto' ? VizOrientation.Horizontal : options.orientation}
      renderValue={({ value, width: w, height: h, orientation, alignmentFactors }) => (
        <BarGauge value={value.display} width={w} height={h} orientation={orientation} field={value.field} theme={theme}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)} displayMode={options.displayMode}
          showUnfilled={options.showUnfilled} valueDisplayMode={options.valueMode} namePlacement={options.namePlacement}
          alignmentFactors={alignmentFactors} itemSpacing={10} lcdCellWidth={8} />
      )} />
  );
}

function Table({ data, options, width, height, timeRange, fieldConfig }) {
  const frame = data.series[options.frameIndex ?? 0];
  cacheFieldDisplayNames(data.series);
  if (!frame?.fields.length) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  return (
    <TableNG data={frame} width={width} height={height} noHeader={!options.showHeader} cellHeight={options.cellHeight}
      sortBy={options.sortBy} showTypeIcons={options.showTypeIcons} structureRev={data.structureRev} timeRange={timeRange}
      fieldConfig={fieldConfig} noValue={fieldConfig.defaults.noValue} enableVirtualization={false} getActions={() => []} />
  );
}

/** Markdown as Grafana's library cleans and writes it. */
function Text({ options, replaceVariables }) {
  return <div dangerouslySetInnerHTML={{ __html: renderTextPanelMarkdown(replaceVariables(options.content ?? '')) }} />;
}

const palette = FieldColorModeId.PaletteClassic;
const STANDING_IN = {
  gauge: [Gauge], barchart: [BarChart, { custom: BARS, color: palette }], nodeGraph: [NodeGraph],
  'state-timeline': [StateRows, { custom: ROWS, color: FieldColorModeId.ContinuousGrYlRd }],
  'status-history': [StateRows, { custom: ROWS }], heatmap: [Heatmap, { custom: ['hideFrom', 'scaleDistribution'] }],
  histogram: [Histogram, { custom: BARS, color: palette }], xychart: [Scatter, { custom: POINTS, color: palette }],
  piechart: [FieldList, { color: palette }], canvas: [FieldList], geomap: [FieldList], candlestick: [FieldList, { custom: GRAPH }],
  logs: [FieldList],
};
export const STAND_INS = Object.keys(STANDING_IN);

export function registerPanels() {
  register('timeseries', Series, { custom: GRAPH, color: palette, defaults: { lineWidth: 1, fillOpacity: 0, drawStyle: 'line', showPoints: 'auto' } });
  register('trend', Trend, { custom: GRAPH, color: palette, defaults: { lineWidth: 1, drawStyle: 'line' } });
  register('stat', Stat);
  register('bargauge', Bars);
  register('table', Table, { custom: TABLE });
  register('text', Text);
  for (const [id, [Panel, more]] of Object.entries(STANDING_IN)) {
    register(id, Panel, { ...more, standIn: true });
  }
}
