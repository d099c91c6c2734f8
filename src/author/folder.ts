// Where an application's sources lie, and which files of them are pages.
import { statSync } from 'node:fs';
import { extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { filesBelow } from '../page/application/public-files.ts';
import { FolderError } from './errors.ts';

const CODE = new Set(['.ts', '.tsx', '.mts', '.jsx', '.js', '.mjs']);
const DECLARATION = /\.d\.[cm]?ts$/;
const TEST = /\.(test|spec|test-d)\.[cm]?[jt]sx?$/;

/**
 * The folder with `pages/` in it: the given one, or `src/` or `app/` below it. Absolute. Errors: `E_FOLDER`.
 */
export function sourceFolder(given: string | undefined, cwd = process.cwd()): string {
  const root = resolve(cwd, given ?? '.');
  const found = [root, join(root, 'src'), join(root, 'app')].find((folder) =>
    isFolder(join(folder, 'pages')),
  );
  if (found !== undefined) return found;
  throw new FolderError(
    `There is no folder pages/ in ${root}, nor in src/ or app/ below it. Name the application's folder, or make one with: coherent-server init`,
  );
}

/** The nearest folder with a package.json, from `folder` upwards; `folder` itself where there is none. */
export function projectFolder(folder: string): string {
  for (let at = folder; ; at = resolve(at, '..')) {
    if (isFile(join(at, 'package.json'))) return at;
    if (at === resolve(at, '..')) return folder;
  }
}

/** Code files below pages/, sorted; tests and declarations aside. Absolute. */
export async function pageSources(folder: string): Promise<readonly string[]> {
  const all = await filesBelow(join(folder, 'pages'));
  return all.filter((file) => isCode(file) && !TEST.test(file));
}

/** A file of code, which the application may import. */
export function isCode(file: string): boolean {
  return CODE.has(extname(file)) && !DECLARATION.test(file);
}

/** `users/[id]`: below pages/, without extension, with '/'. */
export function pageName(folder: string, file: string): string {
  const path = relative(join(folder, 'pages'), file);
  return path
    .slice(0, path.length - extname(path).length)
    .split(sep)
    .join('/');
}

/** The first of these that there is. `name` without extension. */
export function sourceFile(folder: string, name: string): string | undefined {
  return [...CODE].map((extension) => join(folder, name + extension)).find(isFile);
}

export function isInside(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path !== '' && !path.startsWith('..') && !isAbsolute(path);
}

/** As people read it: from where they are, where that is shorter. */
export function shown(file: string, from = process.cwd()): string {
  return isInside(from, file) ? relative(from, file) : file;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
