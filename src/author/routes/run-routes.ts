// `coherent-server routes`: what the files below pages/ answer.
import { realpathSync } from 'node:fs';
import { failureOf } from '../dev/failure.ts';
import { loadSources, type SourceApplication } from '../dev/source-application.ts';
import { projectFolder, shown, sourceFolder } from '../folder.ts';
import { AppModules } from '../modules.ts';

export interface RunRoutesOptions {
  readonly folder: string | undefined;
  readonly json: boolean;
}

interface ListedRoute {
  readonly route: string;
  readonly file: string;
  readonly params: readonly string[];
  readonly query: readonly string[];
  readonly methods: readonly string[];
  /** 0: never kept. */
  readonly ttlMs: number;
  /** Why it cannot be loaded. */
  readonly error?: string;
}

/** Resolves to the exit code: 1 where a page cannot be loaded. Errors: `E_FOLDER`, `E_TOOL_MISSING`, `E_APPLICATION`. */
export async function runRoutes({ folder: given, json }: RunRoutesOptions): Promise<number> {
  const folder = realpathSync(sourceFolder(given));
  const project = projectFolder(folder);
  const modules = await AppModules.open({ folder, project, watch: false });
  try {
    const routes = listed(await loadSources({ folder, modules, live: false }), project);
    process.stdout.write(json ? `${JSON.stringify(routes, null, 2)}\n` : table(routes));
    return routes.some(({ error }) => error !== undefined) ? 1 : 0;
  } finally {
    await modules.close();
  }
}

function listed({ application, broken, fileOf }: SourceApplication, project: string): readonly ListedRoute[] {
  return application.router.files.map(({ template, page, endpoint }) => {
    const file = fileOf(template) ?? '';
    const error = broken.get(file);
    const ofPage =
      page === undefined ? [] : page.page.definition.action === undefined ? ['GET'] : ['GET', 'POST'];
    const { params = {}, query = {} } = page?.declared ?? {};
    return {
      route: template,
      file: shown(file),
      params: Object.keys(params),
      query: Object.keys(query),
      methods: [...new Set([...ofPage, ...(endpoint?.methods.keys() ?? [])])],
      ttlMs: page?.policy.ttlMs ?? 0,
      ...(error !== undefined && { error: failureOf(error, { project }).message.split('\n')[0] ?? '' }),
    };
  });
}

function table(routes: readonly ListedRoute[]): string {
  const rows = routes.map(({ route, file, query, methods, ttlMs, error }) => [
    methods.join(','),
    query.length === 0 ? route : `${route}?${query.join('&')}`,
    error === undefined ? (ttlMs === 0 ? 'never kept' : `kept ${duration(ttlMs)}`) : 'broken',
    error === undefined ? file : `${file}: ${error}`,
  ]);
  const widths = [0, 1, 2].map((at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}\n`).join('');
}

function duration(ms: number): string {
  if (ms >= 3_600_000) return `${Math.round(ms / 360_000) / 10} h`;
  if (ms >= 60_000) return `${Math.round(ms / 6_000) / 10} min`;
  return `${ms / 1000} s`;
}
