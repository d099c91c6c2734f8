// Reads an application's folder: compiled pages below pages/, public files, an optional app.js.
import { readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ApplicationSettings } from '../definitions/settings.ts';
import { ApplicationError } from '../errors.ts';
import { type Application, assemble, type PageModule } from './application.ts';
import { buildOf } from './build-id.ts';
import { filesBelow, readPublicFiles } from './public-files.ts';

const COMPILED = new Set(['.js', '.mjs']);
const SOURCES = new Set(['.ts', '.tsx', '.mts', '.jsx']);

export interface LoadOptions {
  /** Absolute. */
  readonly folder: string;
  /** Names the server's own build, whose renderer also shapes the pages. */
  readonly serverBuild: string;
  /** BUILD_ID: stands for the application's code, and nothing of it is looked at. */
  readonly buildId?: string | undefined;
}

/** Errors: `E_APPLICATION`, which names the file and the way out. */
export async function loadApplication({ folder, serverBuild, buildId }: LoadOptions): Promise<Application> {
  const files = await pageFiles(folder);
  const publicFiles = await readPublicFiles(join(folder, 'public'));
  const settings = await readSettings(folder);
  const { buildFiles } = settings;
  const build = await buildOf({ folder, serverBuild, publicFiles, buildFiles, buildId });
  const modules: PageModule[] = [];
  for (const file of files) {
    const path = nameOf(relative(join(folder, 'pages'), file));
    const { default: exported, page, resource, endpoint } = await importModule(file, `pages/${path}`);
    modules.push({ file: path, exported, named: { page, resource, endpoint } });
  }
  return assemble({ modules, build, files: publicFiles, settings });
}

async function pageFiles(folder: string): Promise<readonly string[]> {
  const pages = join(folder, 'pages');
  const all = await filesBelow(pages);
  if (all.length === 0) {
    throw new ApplicationError(
      `APP: there are no files in ${pages}. An application is a folder with pages/ in it, compiled.`,
    );
  }
  const compiled = all.filter((file) => COMPILED.has(extname(file)));
  const sources = all.filter((file) => SOURCES.has(extname(file)) && !/\.d\.[cm]?ts$/.test(file));
  const onlySource = sources.find(
    (source) => !compiled.some((file) => withoutExtension(file) === withoutExtension(source)),
  );
  if (onlySource !== undefined) {
    throw new ApplicationError(
      `APP: ${onlySource} is a source file. Build the application (coherent-server build) and point APP to the folder of .js files.`,
    );
  }
  const ignored = /\.(map|d\.[cm]?ts|tsx?|mts|jsx)$/;
  const unknown = all.find((file) => !compiled.includes(file) && !ignored.test(file));
  if (unknown !== undefined) {
    throw new ApplicationError(
      `APP: ${unknown} is not a page. Keep only pages below pages/; files to serve go to public/.`,
    );
  }
  return compiled;
}

function nameOf(path: string): string {
  return withoutExtension(path).split(sep).join('/');
}

function withoutExtension(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

interface Exports {
  readonly default?: unknown;
  readonly page?: unknown;
  readonly resource?: unknown;
  readonly endpoint?: unknown;
}

async function importModule(file: string, name: string): Promise<Exports> {
  try {
    const loaded: Exports = await import(pathToFileURL(file).href);
    return loaded;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ApplicationError(`${name} could not be loaded: ${why}`, { cause });
  }
}

/** What app.js says; the pages are not looked at. Errors: `E_APPLICATION`. */
export async function readSettings(folder: string): Promise<ApplicationSettings> {
  const top = await readdir(folder).catch((error: unknown): string[] => {
    // That there is no folder is told with its pages.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const file = ['app.js', 'app.mjs'].find((name) => top.includes(name));
  if (file === undefined) return {};
  const { default: settings } = await importModule(join(folder, file), file);
  if (typeof settings === 'object' && settings !== null) {
    if ('declare' in settings && typeof settings.declare !== 'function' && settings.declare !== undefined)
      throw new ApplicationError(`${file}: declare is no function. Write: declare: ({ watch }) => { ... }`);
    return settings;
  }
  throw new ApplicationError(`${file} has no settings. Write: export default application({ ... })`);
}
