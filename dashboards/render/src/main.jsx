/*
 * The page that Chromium opens: makes a scene of one dashboard, and tells what became of every panel.
 */
import { FieldType, formattedValueToString, getFieldDisplayName, LoadingState } from '@grafana/data';
import { config, locationService } from '@grafana/runtime';
import { SceneGridItem, sceneGraph, VizPanel } from '@grafana/scenes';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { ThemeContext } from '@grafana/data';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'react-router-dom';
import { registerPanels, STAND_INS } from './panels.jsx';
import { repeatPanels, sceneOf } from './scene.js';
import { wire } from './wiring.js';

window.smartparkTrouble = {};

window.smartparkRender = async ({ document: page, choices, range, theme, language }) => {
  window.smartparkLanguage = language;
  await wire(theme, language === 'zh' ? 'zh-Hans' : 'en-US');
  registerPanels();
  const scene = sceneOf(page, choices, range);
  window.smartparkScene = scene;
  const root = createRoot(window.document.getElementById('root'));
  const history = locationService.getHistory();
  root.render(
    <ThemeContext.Provider value={config.theme2}>
      <GlobalStyles hackNoBackdropBlur={false} isExtensionSidebarOpen={false} />
      <Router location={history.location} navigator={history}>
        <h1 className="smartpark-title">{page.title}</h1>
        <scene.Component model={scene} />
        <PortalContainer />
      </Router>
    </ThemeContext.Provider>,
  );
  if (page.panels.some((panel) => panel.repeat)) {
    await variablesKnown(scene);
    repeatPanels(scene, page);
  }
};

async function variablesKnown(scene) {
  const [variables] = [scene.state.$variables];
  const loading = () => variables.state.variables.some((one) => variables.isVariableLoadingOrWaitingToUpdate(one));
  do {
    await new Promise((done) => { setTimeout(done, 50); });
  } while (loading());
}

const layersOf = () => sceneGraph.getDataLayers(window.smartparkScene).flatMap((set) => set.state.layers);
const panelsOf = () => sceneGraph.findAllObjects(window.smartparkScene, (part) => part instanceof VizPanel);

/** How many rows of the grid are filled, with what is repeated. */
window.smartparkRows = () => Math.max(...sceneGraph.findAllObjects(window.smartparkScene, (part) => part instanceof SceneGridItem)
  .map((item) => item.state.y + item.state.height));

/** Whether every panel and layer has its answer. */
window.smartparkSettled = () => panelsOf().every((panel) => {
  const state = panel.state.$data?.state.data?.state;
  return !panel.state.$data || state === LoadingState.Done || state === LoadingState.Error;
}) && layersOf().every((layer) => layer.state.data && layer.state.data.state !== LoadingState.Loading);

window.smartparkReport = () => panelsOf().map((panel) => {
  const data = panel.state.$data?.state.data;
  const drawn = data ? panel.applyFieldConfig(data) : { series: [] };
  const id = panel.getLegacyPanelId();
  const errors = [
    ...(data?.errors ?? []).map((error) => error.message), panel.state._pluginLoadError,
    ...(window.smartparkTrouble[id] ?? []),
  ].filter(Boolean);
  return {
    id, title: panel.state.title, type: panel.state.pluginId, is_stand_in: STAND_INS.includes(panel.state.pluginId),
    is_empty: !drawn.series.some(saysSomething), errors, fields: drawn.series.flatMap(fieldsOf),
  };
});

/** How many marks each of the page's annotations has found, and what went wrong. */
window.smartparkMarks = () => layersOf().map((layer) => {
  const data = layer.state.data;
  const count = (data?.series ?? []).reduce((sum, frame) => sum + frame.length, 0);
  return { name: layer.state.name, count, errors: (data?.errors ?? []).map((error) => error.message) };
});

/** Whether a frame has a value beside its times. */
function saysSomething(frame) {
  return frame.fields.some((field) => field.type !== FieldType.time && field.values.some((value) => value != null));
}

/** What people read of a field: its name, and its last value as it is shown. */
function fieldsOf(frame, _, frames) {
  return frame.fields.map((field) => {
    const known = Array.from(field.values).filter((value) => value !== null && value !== undefined);
    const last = known[known.length - 1];
    return {
      name: field.name, shown_as: getFieldDisplayName(field, frame, frames), unit: field.config.unit ?? '',
      rows: field.values.length, known: known.length,
      last: last === undefined || !field.display ? '' : formattedValueToString(field.display(last)),
    };
  });
}
