// `coherent-server build`: an application's sources as `start` serves them. Each module becomes a file of its own, under its own
// path, so that what a deploy changed can be told module by module (manifest.ts); packages are imported at run time.
//
// It is made beside the folder and put in its place in one step: a server that is started meanwhile finds the old build or the
// new one, never half of one.
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BUILD_FILE } from '../../core/build-file.ts';
import { FolderError } from '../errors.ts';
import { isFile, isInside, pageSources, shown, sourceFile } from '../folder.ts';
import { loadVite } from '../vite.ts';
import { manifestPlugin } from './manifest-plugin.ts';

export interface BuildOptions {
  /** Of the sources; absolute. */
  readonly folder: string;
  readonly project: string;
  /** Absolute. */
  readonly out: string;
}

export interface Built {
  readonly pages: number;
  readonly modules: number;
  readonly publicFiles: number;
}

/** Beside the code: what `db setup` reads. */
const SQL = ['schema.sql', 'indexes.sql'];

/** Errors: `E_FOLDER`, `E_TOOL_MISSING`, and what is wrong in a source file, as Vite says it. */
export async function build({ folder, project, out }: BuildOptions): Promise<Built> {
  assertReplaceable(out, folder, project);
  const pages = await pageSources(folder);
  if (pages.length === 0)
    throw new FolderError(`There are no pages in ${join(folder, 'pages')}: the home page is pages/index.ts`);
  const entries = [...pages, ...others(folder)];
  const fresh = join(dirname(out), `.${basename(out)}-${process.pid}`);
  try {
    const { plugin, manifest } = manifestPlugin();
    const vite = await loadVite();
    await vite.build({
      root: project,
      logLevel: 'warn',
      clearScreen: false,
      publicDir: false,
      plugins: [plugin],
      ssr: { external: true },
      build: {
        ssr: true,
        outDir: fresh,
        emptyOutDir: true,
        target: 'node20',
        sourcemap: true,
        minify: false,
        rollupOptions: {
          input: entries,
          preserveEntrySignatures: 'strict',
          output: {
            format: 'es',
            preserveModules: true,
            preserveModulesRoot: folder,
            entryFileNames: '[name].js',
            sanitizeFileName: false,
          },
        },
      },
    });
    assertInPlace(entries, folder, fresh);
    const publicFiles = copyPublic(folder, fresh);
    for (const name of SQL) if (isFile(join(folder, name))) cpSync(join(folder, name), join(fresh, name));
    await copyBuildFiles(folder, fresh);
    writeFileSync(join(fresh, BUILD_FILE), `${JSON.stringify(manifest(), null, 1)}\n`);
    put(fresh, out);
    const routes = pages.filter((file) => !basename(file).startsWith('_'));
    return { pages: routes.length, modules: Object.keys(manifest().modules).length, publicFiles };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function others(folder: string): readonly string[] {
  return ['app', 'seed'].map((name) => sourceFile(folder, name)).filter((file) => file !== undefined);
}

/** What is emptied must be a build, and not the sources. */
function assertReplaceable(out: string, folder: string, project: string): void {
  if (out === folder || out === project || isInside(out, folder) || isInside(out, project))
    throw new FolderError(
      `--out ${out} holds the sources: a build is put into a folder of its own, such as dist`,
    );
  if (!existsSync(out) || isFile(join(out, BUILD_FILE))) return;
  if (readdirSync(out).length > 0)
    throw new FolderError(
      `--out ${out} is not empty, and no build of coherent-server: empty it, or name another folder`,
    );
}

/** A plugin of the project may name files otherwise; then no route would be where its file says. */
function assertInPlace(entries: readonly string[], folder: string, fresh: string): void {
  for (const entry of entries) {
    const target = relative(folder, entry).replace(/\.[^.]+$/, '.js');
    if (!isFile(join(fresh, target)))
      throw new FolderError(
        `${shown(entry)} was not built to ${target}: a plugin in vite.config names files otherwise`,
      );
  }
}

function copyPublic(folder: string, fresh: string): number {
  const from = join(folder, 'public');
  if (!existsSync(from)) return 0;
  cpSync(from, join(fresh, 'public'), { recursive: true });
  return readdirSync(from, { recursive: true, withFileTypes: true }).filter((item) => item.isFile()).length;
}

/** What pages read from disk, as the application's settings name it. */
async function copyBuildFiles(folder: string, fresh: string): Promise<void> {
  const settings = join(fresh, 'app.js');
  if (!isFile(settings)) return;
  const { default: exported }: { default?: { buildFiles?: readonly string[] } } = await import(
    pathToFileURL(settings).href
  );
  for (const path of exported?.buildFiles ?? []) {
    const from = resolve(folder, path);
    if (isInside(folder, from) && existsSync(from)) {
      const to = join(fresh, relative(folder, from));
      mkdirSync(dirname(to), { recursive: true });
      cpSync(from, to, { recursive: true });
    }
  }
}

function put(fresh: string, out: string): void {
  const former = join(dirname(out), `.${basename(out)}-${process.pid}-former`);
  if (existsSync(out)) renameSync(out, former);
  mkdirSync(dirname(out), { recursive: true });
  renameSync(fresh, out);
  rmSync(former, { recursive: true, force: true });
}
