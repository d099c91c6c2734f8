// `coherent-server init`: the files of an application that runs. A file that is there stays as it is; of a package.json only
// what it lacks is added.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FolderError } from '../errors.ts';
import { shown } from '../folder.ts';
import { configFiles, packageJson } from './project-files.ts';

export interface InitOptions {
  readonly folder: string;
  /** Text by path from the folder: the application's own files. */
  readonly files: ReadonlyMap<string, string>;
  /** Of the server: what the application will depend on. */
  readonly version: string;
  readonly tsx: boolean;
}

export interface Initialised {
  /** Absolute. */
  readonly folder: string;
  readonly written: readonly string[];
  /** There before, and left alone. */
  readonly kept: readonly string[];
  /** What was added to a package.json, such as `scripts.dev`. */
  readonly added: readonly string[];
}

/** Errors: `E_FOLDER`: the folder cannot be written, or its package.json cannot be read. */
export function init({ folder: given, files, version, tsx }: InitOptions): Initialised {
  const folder = resolve(given);
  const written: string[] = [];
  const kept: string[] = [];
  try {
    for (const [path, text] of [...configFiles(tsx), ...files]) {
      if (writeNew(join(folder, path), text)) written.push(path);
      else kept.push(path);
    }
    const wanted = packageJson(basename(folder), version, tsx);
    const file = join(folder, 'package.json');
    if (writeNew(file, json(wanted)))
      return { folder, written: ['package.json', ...written], kept, added: [] };
    const { merged, added } = complete(readPackage(file), wanted);
    if (added.length > 0) writeFileSync(file, json(merged));
    return { folder, written, kept, added };
  } catch (cause) {
    if (cause instanceof FolderError) throw cause;
    throw new FolderError(`${folder} cannot be filled: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

export function summary({ folder, written, kept, added }: Initialised): string {
  const lines = [
    ...written.map((path) => `  + ${path}`),
    ...kept.map((path) => `    ${path} (there before, unchanged)`),
    ...added.map((path) => `  + package.json: ${path}`),
  ];
  const cd = folder === process.cwd() ? '' : `cd ${shown(folder)} && `;
  return `${lines.join('\n')}\n\nNext:\n\n  ${cd}npm install && npm run dev\n`;
}

/** False: something is there. */
function writeNew(file: string, text: string): boolean {
  if (existsSync(file)) return false;
  mkdirSync(dirname(file), { recursive: true });
  // `wx`: not even one that came meanwhile.
  writeFileSync(file, text, { flag: 'wx' });
  return true;
}

type Json = { readonly [name: string]: unknown };

function readPackage(file: string): Json {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new FolderError(`${file} is not JSON; mend it first`, { cause });
  }
  throw new FolderError(`${file} holds no object; mend it first`);
}

/** What `own` lacks of `wanted`, two levels deep. Whatever `own` says stands. */
function complete(own: Json, wanted: Json): { readonly merged: Json; readonly added: readonly string[] } {
  const merged: Record<string, unknown> = { ...own };
  const added: string[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    const there = merged[name];
    if (there === undefined) {
      merged[name] = value;
      added.push(name);
    } else if (isObject(there) && isObject(value)) {
      const lacking = Object.keys(value).filter((key) => there[key] === undefined && !elsewhere(own, key));
      merged[name] = { ...there, ...Object.fromEntries(lacking.map((key) => [key, value[key]])) };
      added.push(...lacking.map((key) => `${name}.${key}`));
    }
  }
  return { merged, added };
}

/** Among the packages of another kind. */
function elsewhere(own: Json, name: string): boolean {
  return ['dependencies', 'devDependencies'].some((kind) => {
    const packages = own[kind];
    return isObject(packages) && packages[name] !== undefined;
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
