/*
 * Makes a scene of a dashboard's JSON. Grafana's own program does this with code that is not on npm; here are only the
 * parts of the JSON that our dashboards use, and whatever is not known stops the rendering.
 */
import { config } from '@grafana/runtime';
import {
  behaviors, ConstantVariable, dataLayers, EmbeddedScene, LocalValueVariable, QueryVariable, SceneControlsSpacer, SceneDataLayerSet,
  SceneDataTransformer, SceneGridItem, SceneGridLayout, SceneGridRow, SceneQueryRunner, SceneRefreshPicker,
  SceneTimePicker, SceneTimeRange, sceneGraph, SceneVariableSet, VariableValueSelectors, VizPanel,
} from '@grafana/scenes';
import { LayerSwitches } from './controls.jsx';

export function sceneOf(document, choices, range) {
  const variables = document.templating.list.map((one) => variableOf(one, choices[one.name]));
  const layers = document.annotations.list.filter((one) => one.enable).map((query) => (
    new dataLayers.AnnotationsDataLayer({ name: query.name, query })
  ));
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({
      from: range?.from ?? document.time.from, to: range?.to ?? document.time.to, timeZone: document.timezone, weekStart: document.weekStart,
    }),
    $variables: new SceneVariableSet({ variables }),
    $data: new SceneDataLayerSet({ layers }),
    $behaviors: [new behaviors.CursorSync({ sync: document.graphTooltip })],
    controls: [
      new VariableValueSelectors({}), new LayerSwitches({}), new SceneControlsSpacer(), new SceneTimePicker({}),
      new SceneRefreshPicker({ refresh: '' }),
    ],
    body: new SceneGridLayout({ children: childrenOf(document.panels) }),
  });
}

function variableOf(one, choice) {
  const shared = { name: one.name, label: one.label, hide: one.hide ?? 0, skipUrlSync: true };
  if (one.type === 'constant') {
    return new ConstantVariable({ ...shared, value: one.query, hide: 2 });
  }
  if (one.type !== 'query') {
    throw new Error(`no variable of type ${one.type} is known here`);
  }
  return new QueryVariable({
    ...shared, query: one.query, datasource: one.datasource, refresh: one.refresh, sort: one.sort, regex: one.regex ?? '',
    isMulti: Boolean(one.multi), includeAll: Boolean(one.includeAll), allValue: one.allValue,
    allowCustomValue: one.allowCustomValue, defaultToAll: Boolean(one.includeAll),
    ...(choice === undefined ? {} : { value: choice, text: choice }),
  });
}

/** Panels in their places; panels after a row that is open belong to it, those of a closed one are shown too. */
function childrenOf(panels) {
  return panels.map((panel) => {
    if (panel.type === 'row') {
      return new SceneGridRow({
        key: `row-${panel.id}`, title: panel.title, isCollapsed: false, y: panel.gridPos.y,
        children: (panel.panels ?? []).map(itemOf),
      });
    }
    return itemOf(panel);
  });
}

function itemOf(panel) {
  const { x, y, w, h } = panel.gridPos;
  return new SceneGridItem({ x, y, width: w, height: h, body: panelOf(panel) });
}

/** A panel that looks back further than its page, as Grafana does where the page's range ends now. */
function rangeOf(panel) {
  return panel.timeFrom ? { $timeRange: new SceneTimeRange({ from: `now-${panel.timeFrom}`, to: 'now', timeZone: 'Asia/Shanghai' }) } : {};
}

function panelOf(panel) {
  const runner = panel.targets?.length ? new SceneQueryRunner({
    queries: panel.targets, datasource: panel.datasource, minInterval: panel.interval, maxDataPoints: panel.maxDataPoints,
  }) : undefined;
  const transformed = runner && panel.transformations?.length
    ? new SceneDataTransformer({ $data: runner, transformations: panel.transformations }) : runner;
  return new VizPanel({
    key: `panel-${panel.id}`, title: panel.title, description: panel.description, pluginId: panel.type,
    options: panel.options ?? {}, fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
    pluginVersion: config.buildInfo.version, $data: transformed,
    ...rangeOf(panel),
    displayMode: panel.transparent ? 'transparent' : 'default',
  });
}

/** Panels that are repeated for each chosen value of a variable, as soon as it is known what is chosen. */
export function repeatPanels(scene, document) {
  const grid = scene.state.body;
  for (const panel of document.panels.filter((one) => one.repeat)) {
    const item = grid.state.children.find((child) => child.state.body?.state.key === `panel-${panel.id}`);
    const variable = sceneGraph.lookupVariable(panel.repeat, scene);
    const copies = copiesOf(panel, variable);
    const extra = Math.max(...copies.map((copy) => copy.state.y)) - item.state.y;
    const others = grid.state.children.filter((child) => child !== item);
    others.filter((child) => child.state.y > item.state.y).forEach((child) => child.setState({ y: child.state.y + extra }));
    grid.setState({ children: [...others, ...copies] });
  }
}

function copiesOf(panel, variable) {
  const values = [variable.getValue()].flat();
  const texts = [variable.getValueText ? valueTexts(variable) : values].flat();
  const beside = panel.repeatDirection === 'v' ? 1 : Math.min(panel.maxPerRow ?? 4, values.length);
  const width = panel.repeatDirection === 'v' ? panel.gridPos.w : 24 / beside;
  return values.map((value, n) => {
    const copy = panelOf(panel);
    const { isMulti, includeAll, name } = variable.state;
    copy.setState({
      key: `panel-${panel.id}-clone-${n}/panel-${panel.id}`,
      $variables: new SceneVariableSet({ variables: [new LocalValueVariable({ name, value, text: texts[n] ?? value, isMulti, includeAll })] }),
    });
    const y = panel.gridPos.y + Math.floor(n / beside) * panel.gridPos.h;
    return new SceneGridItem({ x: (n % beside) * width, y, width, height: panel.gridPos.h, body: copy });
  });
}

function valueTexts(variable) {
  const names = Object.fromEntries((variable.state.options ?? []).map((option) => [option.value, option.label]));
  return [variable.getValue()].flat().map((value) => names[value] ?? value);
}
