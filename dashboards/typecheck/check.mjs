// Checks every board in dashboards/json against the types of Grafana's own @grafana/schema:
// unknown keys, wrong types and values, of the board, its variables, annotations and panels, and
// of each panel type's options and field configuration. Exit code 1 and tsc's messages if any.
//
//   cd dashboards/typecheck && npm ci && npm test
//   node check.mjs FOLDER        boards of another folder

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, '..', 'json');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
// Inside this folder, so that tsc finds node_modules.
const work = mkdtempSync(join(here, '.check-'));

// Panel type in the JSON -> the schema's name of it; FieldConfig only where the schema has one.
const PANELS = {
  barchart: ['BarChart', true],
  bargauge: ['BarGauge', false],
  geomap: ['Geomap', false],
  'state-timeline': ['StateTimeline', true],
  stat: ['Stat', false],
  table: ['Table', true],
  timeseries: ['TimeSeries', true],
};

const PRELUDE = `
import type {
  AnnotationQuery, Dashboard, DataQuery, FieldConfig, FieldConfigSource, Panel,
} from '@grafana/schema';

// JSON holds the values of enums, not their members.
export type Json<T> = T extends string ? \`\${T}\`
  : T extends number | boolean | null | undefined ? T
  : T extends Array<infer U> ? Array<Json<U>>
  : T extends object ? { [K in keyof T]: Json<T[K]> }
  : T;

// The InfluxDB plugin's queries are not in the schema.
export interface InfluxQuery extends DataQuery {
  rawQuery: true;
  query: string;
  resultFormat: 'time_series' | 'table';
  alias?: string;
}
export interface InfluxAnnotation extends DataQuery {
  rawQuery: true;
  textEditor: true;
  fromAnnotations: true;
  query: string;
  textColumn: string;
  tagsColumn: string;
  timeEndColumn: string;
}
export type Frame = Json<Omit<Dashboard, 'annotations' | 'panels'>> & {
  annotations?: { list?: Array<Json<AnnotationQuery<InfluxAnnotation>>> };
};
export type Drawn<Options, Custom> =
  Json<Omit<Panel, 'fieldConfig' | 'options' | 'targets'>> & {
    fieldConfig?: Json<Omit<FieldConfigSource, 'defaults'>> & {
      defaults: Json<Omit<FieldConfig, 'custom'>> & { custom?: Json<Custom> };
    };
    options?: Json<Options>;
    targets?: Array<Json<InfluxQuery>>;
  };
`;

function source(board) {
  const { panels, ...frame } = board;
  const lines = ["import type { Drawn, Frame } from './prelude';"];
  for (const type of new Set(panels.map((panel) => panel.type))) {
    const [name, hasFieldConfig] = PANELS[type] ?? [];
    if (!name) throw new Error(`add the panel type ${type} to PANELS in check.mjs`);
    const folder = name.toLowerCase();
    const path = `@grafana/schema/dist/esm/raw/composable/${folder}/panelcfg/x/${name}PanelCfg_types.gen`;
    lines.push(`import type * as ${name} from '${path}';`);
    const custom = hasFieldConfig ? `Partial<${name}.FieldConfig>` : 'Record<string, never>';
    lines.push(`type Panel_${name} = Drawn<Partial<${name}.Options>, ${custom}>;`);
  }
  lines.push(`export const frame: Frame = ${JSON.stringify(frame, null, 2)};`);
  for (const panel of panels) {
    lines.push(`// ${panel.title}`);
    const text = JSON.stringify(panel, null, 2);
    lines.push(`export const panel${panel.id}: Panel_${PANELS[panel.type][0]} = ${text};`);
  }
  return lines.join('\n');
}

try {
  writeFileSync(join(work, 'prelude.ts'), PRELUDE);
  for (const file of files) {
    const board = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    writeFileSync(join(work, `${basename(file, '.json')}.ts`), source(board));
  }
  const sources = readdirSync(work).map((name) => join(work, name));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext'];
  options.push('--moduleResolution', 'bundler', '--target', 'es2022');
  const tsc = join(here, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [tsc, ...options, ...sources], { stdio: 'inherit' });
  if (run.status === 0) console.log(`${files.length} boards fit @grafana/schema`);
  process.exitCode = run.status === 0 ? 0 : 1;
} finally {
  rmSync(work, { recursive: true });
}
