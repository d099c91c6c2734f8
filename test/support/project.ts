// An application's project as its author has it: sources in a temporary folder, the built server among its packages.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Build } from './built-server.ts';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
/** What `coherent-server init` has an author install. */
const PACKAGES = ['zod', 'typescript', 'vite', '@types'];

export interface Project {
  readonly folder: string;
  write(path: string, text: string): void;
  remove(path: string): void;
  /** `coherent-server` with these words; resolves to what it wrote and its exit code. */
  run(
    words: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number | null; readonly output: string }>;
  start(words: readonly string[], env?: Readonly<Record<string, string>>): Running;
  close(): void;
}

export interface Running {
  readonly child: ChildProcess;
  /** Everything it wrote so far. */
  readonly output: () => string;
  /** Resolves to the exit code. */
  readonly ended: Promise<number | null>;
}

/** `program` with these words, in a folder, and nothing of this process' environment but where programs are. */
export function startIn(
  folder: string,
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Running {
  const child = spawn(process.execPath, [program, ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const ended = once(child, 'close').then(() => child.exitCode);
  return { child, output: () => output, ended };
}

export function makeProject(build: Build, files: Readonly<Record<string, string>>): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'coherent-project-')));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of PACKAGES) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  symlinkSync(join(build.folder, 'package'), join(folder, 'node_modules/coherent-render-server'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const program = join(folder, 'node_modules/coherent-render-server/dist/server.js');
  const start: Project['start'] = (words, env = {}) => startIn(folder, program, words, env);
  return {
    folder,
    write,
    remove: (path) => rmSync(join(folder, path), { recursive: true }),
    start,
    run: async (words, env) => {
      const running = start(words, env);
      return { code: await running.ended, output: running.output() };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
