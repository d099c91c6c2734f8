// An application from its sources. What is broken in one page must not take the others away: in its place stands a page that
// fails with what is wrong. What all pages need (app, _layout) has no such place: without it there is no application.
import { join } from 'node:path';
import { type Application, assemble, type PageModule } from '../../page/application/application.ts';
import { type PublicFiles, readPublicFiles } from '../../page/application/public-files.ts';
import { routeOf } from '../../page/application/router.ts';
import { isLayout, type Layout, layout } from '../../page/definitions/layout.ts';
import { page } from '../../page/definitions/page.ts';
import { type ApplicationSettings, isApplicationSettings } from '../../page/definitions/settings.ts';
import { ApplicationError } from '../../page/errors.ts';
import { pageName, pageSources, sourceFile } from '../folder.ts';
import type { AppModules } from '../modules.ts';
import { CLIENT_SCRIPT } from './error-page.ts';

export interface SourceApplication {
  readonly application: Application;
  /** Pages that cannot be loaded: by file, what is wrong. */
  readonly broken: ReadonlyMap<string, unknown>;
  /** The file of a route template. Absolute. */
  readonly fileOf: (template: string) => string | undefined;
}

export interface SourceOptions {
  readonly folder: string;
  readonly modules: Pick<AppModules, 'import'>;
  /** Read before, and not changed since. */
  readonly publicFiles?: PublicFiles | undefined;
  /** Have each page listen for changes. */
  readonly live: boolean;
}

/** `_layout`, `account/_guard`: no address of their own. */
const SPECIAL = /(^|\/)_[^/]*$/;
/** Without these no page is what it is meant to be. */
const NEEDED = /(^|\/)_(layout|guard)$/;

/** Rejects with what is wrong in a file that all pages need, and with `E_APPLICATION`. */
export async function loadSources(options: SourceOptions): Promise<SourceApplication> {
  const { folder, modules, live } = options;
  const files = await pageSources(folder);
  const [settings, publicFiles, loaded] = await Promise.all([
    loadSettings(folder, modules),
    options.publicFiles ?? readPublicFiles(join(folder, 'public')),
    Promise.all(files.map((file) => loadPage(folder, file, modules))),
  ]);
  const common = { build: 'dev', settings, files: publicFiles };
  const broken = new Map<string, unknown>();
  const templates = new Map<string, string>();
  const parts = loaded.map(({ module, file, error }): PageModule => {
    const wrong = error ?? wrongIn(module, settings);
    if (!SPECIAL.test(module.file)) templates.set(routeOf(module.file).template, file);
    if (wrong === undefined) return module;
    if (NEEDED.test(module.file)) throw wrong;
    broken.set(file, wrong);
    return { file: module.file, exported: failing(module.file, wrong) };
  });
  if (live) withClient(parts);
  const application = assemble({ ...common, modules: parts });
  return { application, broken, fileOf: (template) => templates.get(template) };
}

async function loadSettings(folder: string, modules: SourceOptions['modules']): Promise<ApplicationSettings> {
  const file = sourceFile(folder, 'app');
  if (file === undefined) return {};
  const { default: settings } = await modules.import(file);
  if (isApplicationSettings(settings)) return settings;
  throw new ApplicationError('app: it has no settings. Write: export default application({ ... })');
}

interface LoadedPage {
  readonly file: string;
  readonly module: PageModule;
  /** Why it cannot be loaded. */
  readonly error: unknown;
}

async function loadPage(
  folder: string,
  file: string,
  modules: SourceOptions['modules'],
): Promise<LoadedPage> {
  const name = pageName(folder, file);
  try {
    const { default: exported, page, resource, endpoint } = await modules.import(file);
    return { file, module: { file: name, exported, named: { page, resource, endpoint } }, error: undefined };
  } catch (error) {
    return {
      file,
      module: { file: name, exported: undefined },
      error: error ?? new Error('It threw nothing.'),
    };
  }
}

/** What the server would refuse to start with, were it the only page. */
function wrongIn(module: PageModule, settings: ApplicationSettings): unknown {
  const home: PageModule = { file: 'index', exported: page({ view: () => null }) };
  try {
    assemble({ modules: SPECIAL.test(module.file) ? [home, module] : [module], build: 'dev', settings });
    return undefined;
  } catch (error) {
    return error;
  }
}

const anyText = {
  '~standard': { version: 1, vendor: 'coherent', validate: (value: unknown) => ({ value }) },
} as const;

function failing(file: string, error: unknown) {
  const names = SPECIAL.test(file) ? [] : routeOf(file).names;
  return page({
    params: Object.fromEntries(names.map((name) => [name, anyText])),
    load: () => {
      throw error;
    },
    view: () => null,
  });
}

/** The layout with the script that listens for changes; one that puts pages where they stand without a layout, where there is none. */
function withClient(parts: PageModule[]): void {
  const at = parts.findIndex(({ file }) => file === '_layout');
  const own = parts[at]?.exported;
  const around = listening(isLayout(own) ? own : undefined);
  if (at === -1) parts.push({ file: '_layout', exported: around });
  else parts[at] = { file: '_layout', exported: around };
}

function listening(own: Layout | undefined): Layout {
  const { definition } = own ?? layout({ view: ({ content }) => ({ main: { children: [content] } }) });
  const script = { script: { src: CLIENT_SCRIPT, type: 'module' } };
  return layout({ ...definition, head: (context) => [definition.head?.(context), script] });
}
