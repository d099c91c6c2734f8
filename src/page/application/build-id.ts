// The name of a build: part of every cache key, so that no page outlives the code that made it. It is a hash of all that the
// application is made of:
//
//   APP              every code file and JSON in it, imported or not
//   beside it        what those import by relative path, and `new URL('./x', import.meta.url)`, wherever it lies
//   libraries        packages they import, and theirs: every code file of them, for people patch and link packages
//   public/          names and contents
//   buildFiles       what is read in other ways, as app.js names it
//   the server       by its own build
//
// Imports are found by reading the texts. What a computed import() or a file system call reads is not seen: name it in
// `buildFiles`, or set BUILD_ID, which stands for all of this at once.
import { createHash, type Hash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApplicationError } from '../errors.ts';
import { filesBelow, type PublicFiles, shortHash } from './public-files.ts';

const CODE = new Set(['.js', '.mjs', '.cjs', '.json']);
/** Of one package; a larger one goes by its package.json alone, and by what is imported of it by path. */
const MAX_PACKAGE_FILES = 1500;
const AT_ONCE = 32;
const OURS = 'coherent-render-server';

export interface BuildParts {
  /** Of the application; absolute. */
  readonly folder: string;
  readonly serverBuild: string;
  readonly publicFiles: PublicFiles;
  /** Paths from `folder`, of files or folders. */
  readonly buildFiles?: readonly string[] | undefined;
  /** BUILD_ID. */
  readonly buildId?: string | undefined;
}

/** Errors: `E_APPLICATION` for a build file that is not there. */
export async function buildOf(parts: BuildParts): Promise<string> {
  const { folder, serverBuild, publicFiles, buildFiles = [], buildId } = parts;
  const hash = createHash('sha256')
    .update(serverBuild)
    .update('\0')
    .update(publicFiles.fingerprint)
    .update('\0');
  if (buildId !== undefined) return shortHash(hash.update(buildId).digest());
  const graph = new ModuleGraph();
  await graph.add(await codeOf(folder));
  addContents(hash, folder, graph.contents);
  addContents(hash, folder, await contentsOf(folder, buildFiles));
  return shortHash(hash.digest());
}

async function codeOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const item of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, item.name);
    if (!item.isDirectory()) found.push(path);
    else if (item.name !== 'node_modules' && item.name !== 'public' && !item.name.startsWith('.'))
      found.push(...(await filesBelow(path)));
  }
  return found.filter((file) => CODE.has(extname(file)));
}

async function contentsOf(folder: string, paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const path of paths) {
    const at = resolve(folder, path);
    try {
      const files = (await stat(at)).isDirectory() ? await filesBelow(at) : [at];
      for (const file of files) found.set(file, await readFile(file));
    } catch (cause) {
      throw new ApplicationError(
        `app: buildFiles names '${path}', which cannot be read. Paths begin at APP.`,
        { cause },
      );
    }
  }
  return found;
}

/** By paths from the application, so that two hosts with the same files have the same build. */
function addContents(hash: Hash, folder: string, contents: ReadonlyMap<string, Buffer>): void {
  const named = [...contents].map(
    ([file, bytes]) => [relative(folder, file).split(sep).join('/'), bytes] as const,
  );
  named.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, bytes] of named) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  hash.update('\0\0');
}

const IMPORTS =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire(?:\.resolve)?\s*\(\s*|\bnew\s+URL\s*\(\s*)(['"`])([^'"`\n$]+)\1/g;

/** Files and what they import, found from their texts. What cannot be resolved is left out: it may be no import at all. */
class ModuleGraph {
  readonly contents = new Map<string, Buffer>();
  readonly #packages = new Set<string>();
  readonly #seen = new Set<string>();

  async add(files: readonly string[]): Promise<void> {
    let left = files;
    while (left.length > 0) {
      const next: string[] = [];
      for (let from = 0; from < left.length; from += AT_ONCE) {
        const found = await Promise.all(left.slice(from, from + AT_ONCE).map((file) => this.#read(file)));
        next.push(...found.flat());
      }
      left = next;
    }
  }

  async #read(file: string): Promise<readonly string[]> {
    if (this.#seen.has(file)) return [];
    this.#seen.add(file);
    const bytes = await this.#take(file);
    if (bytes === undefined || extname(file) === '.json' || !CODE.has(extname(file))) return [];
    const specifiers = new Set([...bytes.toString('utf8').matchAll(IMPORTS)].map(([, , name = '']) => name));
    const found = await Promise.all([...specifiers].map((name) => this.#filesOf(name, file)));
    return found.flat();
  }

  async #filesOf(specifier: string, from: string): Promise<readonly string[]> {
    if (isBuiltin(specifier) || /^(?:https?|data):/.test(specifier)) return [];
    if (/^(?:\.{0,2}\/|file:)/.test(specifier)) return this.#byPath(specifier, from);
    return this.#ofPackage(specifier, from);
  }

  async #byPath(specifier: string, from: string): Promise<readonly string[]> {
    const [path = ''] = (specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier).split(/[?#]/);
    const at = resolve(dirname(from), path);
    // The last two as require() finds them.
    for (const file of [
      at,
      ...[...CODE].map((extension) => at + extension),
      join(at, 'index.js'),
      join(at, 'index.cjs'),
    ]) {
      if ((await stat(file).catch(() => undefined))?.isFile() === true) return [file];
    }
    return [];
  }

  async #ofPackage(specifier: string, from: string): Promise<readonly string[]> {
    if (specifier.startsWith('#')) {
      const file = resolved(specifier, from);
      return file === undefined ? [] : [file];
    }
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    await this.#addPackage(name, dirname(from));
    return [];
  }

  /** All of it, and what its package.json says it depends on: reading its texts for imports would cost a start too much. */
  async #addPackage(name: string, from: string): Promise<void> {
    const folder = await packageFolder(name, from);
    if (folder === undefined || this.#packages.has(folder)) return;
    this.#packages.add(folder);
    const description = await describe(folder);
    // The server's build stands for it.
    if (description.name === OURS) return;
    const files = await codeOfPackage(folder);
    const wanted = files.length > MAX_PACKAGE_FILES ? [join(folder, 'package.json')] : files;
    for (let at = 0; at < wanted.length; at += AT_ONCE) {
      await Promise.all(wanted.slice(at, at + AT_ONCE).map((file) => this.#take(file)));
    }
    for (const each of description.dependencies) await this.#addPackage(each, folder);
  }

  async #take(file: string): Promise<Buffer | undefined> {
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes !== undefined) this.contents.set(file, bytes);
    return bytes;
  }
}

/** Where a package lies, links resolved: in a node_modules above. */
async function packageFolder(name: string, from: string): Promise<string | undefined> {
  if (!/^[\w.@/~-]+$/.test(name)) return undefined;
  for (let at = from; ; at = dirname(at)) {
    const found = await realpath(join(at, 'node_modules', name)).catch(() => undefined);
    if (found !== undefined) return found;
    if (at === dirname(at)) return undefined;
  }
}

async function describe(
  folder: string,
): Promise<{ readonly name: unknown; readonly dependencies: readonly string[] }> {
  try {
    const { name, dependencies, peerDependencies, optionalDependencies } = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    );
    const all = { ...dependencies, ...peerDependencies, ...optionalDependencies };
    return { name, dependencies: Object.keys(all).sort() };
  } catch {
    return { name: undefined, dependencies: [] };
  }
}

/** `#name`, as the file's own package.json says. */
function resolved(specifier: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(specifier);
  } catch {
    return undefined;
  }
}

async function codeOfPackage(folder: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (at: string): Promise<void> => {
    for (const item of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      const path = join(at, item.name);
      if (item.isDirectory()) {
        if (item.name !== 'node_modules' && !item.name.startsWith('.')) await visit(path);
      } else if (item.isFile() && CODE.has(extname(item.name))) found.push(path);
      if (found.length > MAX_PACKAGE_FILES) return;
    }
  };
  await visit(folder);
  return found.sort();
}
