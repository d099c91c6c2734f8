// The server as a user has it: compiled, in a folder of its own, started as a process.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface Build {
  /** A temporary folder, with the built package in `package/`. */
  readonly folder: string;
  remove(): void;
}

/** Compiles the server (without the sample) into a temporary folder. Types are for `npm run types` to check. */
export function buildServer(): Build {
  const folder = mkdtempSync(join(tmpdir(), 'coherent-build-'));
  const target = join(folder, 'package');
  mkdirSync(target);
  copyFileSync(join(repository, 'package.json'), join(target, 'package.json'));
  symlinkSync(join(repository, 'node_modules'), join(target, 'node_modules'));
  const project = join(folder, 'tsconfig.json');
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(repository, 'tsconfig.build.json'),
      compilerOptions: {
        rootDir: repository,
        outDir: join(target, 'dist'),
        typeRoots: [join(repository, 'node_modules/@types')],
        declaration: false,
        sourceMap: false,
        noCheck: true,
      },
      include: ['server.ts', 'config', 'workers', 'src'].map((path) => join(repository, path)),
      exclude: ['test', 'test-d', 'contract', 'chaos'].map((kind) => join(repository, `**/*.${kind}.ts`)),
    }),
  );
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  spawnSync(process.execPath, [compiler, '-p', project], { cwd: repository });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface RunningServer {
  readonly url: string;
  /** Everything it wrote so far. */
  readonly output: () => string;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the built server; resolves when it says that it serves. Rejects with what it wrote when it ends before. */
export async function startBuilt(
  build: Build,
  env: Readonly<Record<string, string>>,
): Promise<RunningServer> {
  const child = spawn(process.execPath, [join(build.folder, 'package/dist/server.js')], {
    cwd: build.folder,
    env: {
      PATH: process.env.PATH ?? '',
      PORT: '0',
      OPS_PORT: '0',
      HOST: '127.0.0.1',
      SHUTDOWN_DELAY_MS: '0',
      WORKERS: '1',
      DATA_DIR: join(build.folder, 'data'),
      // For the sample, in production: it has sessions.
      SESSION_SECRET: 'of-the-tests-and-of-nothing-else-in-the-world',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const output = () => lines.join('\n');
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const found = line.includes('"serving"') ? /"url":"([^"]+)"/.exec(line)?.[1] : undefined;
        if (found !== undefined) resolve(found);
      });
    }
    child.once('exit', () => reject(new Error(`The server ended:\n${output()}`)));
  });
  return { url: url.replace('localhost', '127.0.0.1'), output, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  child.kill('SIGTERM');
  await once(child, 'exit');
  return child.exitCode;
}
