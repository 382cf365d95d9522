/*
 * Gives Grafana's libraries what Grafana's own program would give them: services, registries, a data source.
 * It refuses to reach anything but the one address that answers queries.
 */
import {
  createTheme, dataLinksOverrideProcessor, displayNameOverrideProcessor, EventBusSrv, FieldType,
  identityOverrideProcessor, LoadingState, numberOverrideProcessor, standardEditorsRegistry,
  standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry, thresholdsOverrideProcessor,
  toDataFrame, preProcessPanelData, unitOverrideProcessor, valueMappingsOverrideProcessor,
} from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import {
  config, setAppEvents, setBackendSrv, setDataSourceSrv, setEchoSrv, setLocationSrv, setPluginImportUtils,
  setPluginLinksHook, setRunRequest, setTemplateSrv,
} from '@grafana/runtime';
import { loadResources, sceneGraph } from '@grafana/scenes';
import { SqlDatasource } from '@grafana/sql';
import { catchError, from, map, of, startWith } from 'rxjs';

const SOURCE = {
  id: 1, uid: 'park-tsdb', name: 'park', type: 'grafana-postgresql-datasource', access: 'proxy', readOnly: true,
  isDefault: true, url: '', meta: { id: 'grafana-postgresql-datasource', name: 'PostgreSQL', info: {}, annotations: true },
  jsonData: { database: 'smartpark', timescaledb: true, postgresVersion: 1700 },
};

/** The SQL data source of @grafana/sql; what Grafana's PostgreSQL plugin, which is not on npm, adds to it. */
class PostgresSource extends SqlDatasource {
  getDB() {
    return { init: async () => true, datasets: async () => [], tables: async () => [], fields: async () => [] };
  }

  getQueryModel() {
    return { quoteLiteral: (text) => `'${text.replace(/'/g, "''")}'` };
  }

  /** Beside the query as Grafana writes it: how it stood, and where, so that it can be held against our own rules. */
  applyTemplateVariables(target, scopedVars) {
    const asking = scopedVars.__sceneObject?.value?.valueOf();
    return { ...super.applyTemplateVariables(target, scopedVars), written: target.rawSql, chosen: chosenAround(asking) };
  }
}

/** Variables that hold where a part of the scene stands. */
function chosenAround(asking) {
  const chosen = {};
  for (let part = asking; part; part = part.parent) {
    for (const variable of part.state.$variables?.state.variables ?? []) {
      chosen[variable.state.name] ??= {
        value: variable.getValue(), several: Boolean(variable.state.isMulti || variable.state.includeAll),
      };
    }
  }
  return chosen;
}

const backend = {
  fetch: (request) => from(ask(request)),
  get: async (url) => { throw new Error(`nothing answers ${url} outside Grafana`); },
};

async function ask(request) {
  const answer = await window.fetch(request.url, { method: request.method, body: JSON.stringify(request.data) });
  return { data: await answer.json(), status: answer.status, ok: answer.ok, config: request };
}

/** Grafana's own loop over a request's answers is not on npm; this one knows single answers only. */
function runRequest(source, request, queryFunction) {
  const asked = queryFunction ? queryFunction(request) : source.query(request);
  return asked.pipe(
    map((packet) => preProcessPanelData({
      state: packet.errors?.length || packet.error ? LoadingState.Error : packet.state ?? LoadingState.Done,
      series: packet.data.map((frame) => toDataFrame(frame)), annotations: [], request, timeRange: request.range,
      error: packet.error ?? packet.errors?.[0], errors: packet.errors,
    })),
    catchError((error) => of({
      state: LoadingState.Error, series: [], annotations: [], request, timeRange: request.range,
      error: { message: String(error.message ?? error) }, errors: [{ message: String(error.message ?? error) }],
    })),
    startWith({ state: LoadingState.Loading, series: [], annotations: [], request, timeRange: request.range }),
  );
}

const NO_EDITOR = () => null;

function standard(id, process, more = {}) {
  return {
    id, path: id, name: id, editor: NO_EDITOR, override: NO_EDITOR, process, shouldApply: () => true, settings: {}, ...more,
  };
}

const NUMBERS_ONLY = { shouldApply: (field) => field.type === FieldType.number };

/** What Grafana assumes where thresholds are asked for and none are given. */
const GREEN_TO_RED = { mode: 'absolute', steps: [{ value: -Infinity, color: 'green' }, { value: 80, color: 'red' }] };

/** Field options that all panels share, with the processors of @grafana/data and the defaults of Grafana's program. */
export function standardFields() {
  return [
    standard('unit', unitOverrideProcessor), standard('min', numberOverrideProcessor, NUMBERS_ONLY),
    standard('max', numberOverrideProcessor, NUMBERS_ONLY), standard('fieldMinMax', identityOverrideProcessor, NUMBERS_ONLY),
    standard('decimals', numberOverrideProcessor, NUMBERS_ONLY), standard('displayName', displayNameOverrideProcessor),
    standard('color', identityOverrideProcessor), standard('noValue', identityOverrideProcessor),
    standard('links', dataLinksOverrideProcessor),
    standard('mappings', valueMappingsOverrideProcessor, { defaultValue: [], shouldApply: (field) => field.type !== FieldType.time }),
    standard('thresholds', thresholdsOverrideProcessor, { defaultValue: GREEN_TO_RED }),
    standard('filterable', identityOverrideProcessor),
  ];
}

const EDITORS = ['text', 'number', 'slider', 'boolean', 'radio', 'select', 'unit', 'links', 'stats-picker', 'strings',
  'timezone', 'fieldColor', 'color', 'multi-select', 'field-name', 'dashboard-uid', 'mappings', 'thresholds', 'stats',
  'unit-string', 'actions', 'dataLinks', 'cellOptions'];

export async function wire(theme, language) {
  await initPluginTranslations('grafana-scenes', [loadResources]);
  config.theme2 = createTheme({ colors: { mode: theme } });
  config.theme = config.theme2.v1;
  config.bootData = { user: { language, locale: language, timezone: 'Asia/Shanghai', weekStart: 'monday' }, settings: {}, navTree: [] };
  config.featureToggles = {};
  config.buildInfo = { version: '13.2.2' };
  standardEditorsRegistry.setInit(() => EDITORS.map((id) => ({ id, name: id, editor: NO_EDITOR })));
  standardFieldConfigEditorRegistry.setInit(standardFields);
  standardTransformersRegistry.setInit(() => Object.values(standardTransformers).map((one) => (
    { id: one.id, transformation: async () => one, name: one.name, aliasIds: [] }
  )));
  setAppEvents(new EventBusSrv());
  setLocationSrv({ update: () => {} });
  setEchoSrv({ addBackend() {}, addEvent() {}, flush() {} });
  setPluginLinksHook(() => ({ links: [], isLoading: false }));
  setBackendSrv(backend);
  setTemplateSrv({
    replace: (text, scoped, format) => sceneGraph.interpolate(scoped?.__sceneObject?.value?.valueOf() ?? window.smartparkScene, text, scoped, format),
    getVariables: () => [], containsTemplate: (text) => /\$/.test(text ?? ''), updateTimeRange() {},
  });
  const source = new PostgresSource(SOURCE);
  source.meta = SOURCE.meta;
  setDataSourceSrv({
    get: async () => source, getInstanceSettings: () => SOURCE, getList: () => [SOURCE], reload() {},
  });
  setRunRequest(runRequest);
  setPluginImportUtils({
    importPanelPlugin: async (id) => { throw new Error(`no panel of type ${id} is known here`); },
    getPanelPluginFromCache: () => undefined,
  });
}
