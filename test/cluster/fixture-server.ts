// Starts the real primary over fixture workers, compiled as the build does it, and watches what it says.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A folder of JavaScript, inside the repository so that packages are found. Remove it with `remove()`. */
export function compileFixtures(): { readonly main: string; readonly healthcheck: string; remove(): void } {
  const cache = path.join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const outDir = mkdtempSync(path.join(cache, 'cluster-fixtures-'));
  const project = path.join(outDir, 'tsconfig.json');
  const files = ['main', 'worker', 'services', 'feed'].map((name) =>
    path.join(root, `test/cluster/fixtures/${name}.ts`),
  );
  files.push(path.join(root, 'healthcheck.ts'));
  const compilerOptions = { outDir, rootDir: root, noCheck: true, declaration: false, sourceMap: false };
  writeFileSync(
    project,
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions,
      files,
      include: [],
      exclude: [],
    }),
  );
  writeFileSync(path.join(outDir, 'package.json'), '{"type":"module"}');
  execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', project], {
    stdio: 'pipe',
  });
  return {
    main: path.join(outDir, 'test/cluster/fixtures/main.js'),
    healthcheck: path.join(outDir, 'healthcheck.js'),
    remove: () => rmSync(outDir, { recursive: true, force: true }),
  };
}

type Line = Readonly<Record<string, unknown>>;

export class FixtureServer {
  readonly process: ChildProcess;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Marks every process that descends from this server. */
  readonly #id = randomUUID();
  readonly #lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  #stderr = '';
  #hasExited = false;

  constructor(main: string, environment: Readonly<Record<string, string>> = {}, cwd = '/') {
    this.process = spawn(process.execPath, [main], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        FIXTURE_ID: this.#id,
        PORT: '0',
        HOST: '127.0.0.1',
        DATA_DIR: path.join(path.dirname(main), `data-${this.#id}`),
        OPS_PORT: '0',
        WORKERS: '2',
        LOG_LEVEL: 'debug',
        DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
        ...environment,
      },
    });
    this.exited = new Promise((resolve) => {
      this.process.once('close', (code, signal) => {
        this.#hasExited = true;
        this.#wake();
        resolve({ code, signal });
      });
    });
    let rest = '';
    this.process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) this.#lines.push(parse(part));
      this.#wake();
    });
    this.process.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr += chunk;
      this.#wake();
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** The lines with this message so far. */
  said(message: string): readonly Line[] {
    return this.#lines.filter(({ msg }) => msg === message);
  }

  /** Waits until the message was said so many times. */
  async until(message: string, times = 1): Promise<readonly Line[]> {
    await this.#until(() => this.said(message).length >= times, `"${message}" x ${times}`);
    return this.said(message);
  }

  async started(): Promise<{ readonly url: string; readonly operations: string; readonly line: Line }> {
    const [line] = await this.until('serving');
    if (line === undefined) throw new Error('no banner');
    return { url: String(line.url), operations: String(line.operations), line };
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Pids of the living processes that this server started, itself included. */
  family(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => environmentOf(pid).includes(`FIXTURE_ID=${this.#id}`));
  }

  /** Waits until no process of this server is left. */
  async gone(): Promise<void> {
    await this.exited;
    await eventually(() => this.family().length === 0, 'every process of the server is gone');
  }

  /** For afterEach: nothing is left behind, whatever the test did. */
  async destroy(): Promise<void> {
    for (const pid of this.family()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {} // It went by itself.
    }
    await this.gone();
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.#hasExited) throw new Error(`the server ended before ${what}:\n${this.#tail()}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #tail(): string {
    return `${this.#lines.map((line) => JSON.stringify(line)).join('\n')}\n${this.#stderr}`;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

interface Answer {
  readonly slot: number;
  readonly pid: number;
  readonly threads: string;
  readonly flags: readonly string[];
  readonly heapMaxMb: number;
  readonly databaseUrl: string;
  readonly boot: string;
  readonly feed: string;
}

export async function ask(url: string, path = '/'): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { headers: { connection: 'close' } });
  return (await response.json()) as Answer;
}

export function post(url: string): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { connection: 'close' } });
}

export async function readiness(
  operations: string,
): Promise<{ status: number; serving: number; pids: number[] }> {
  const response = await fetch(`${operations}/readyz`, { headers: { connection: 'close' } });
  const body = (await response.json()) as { serving: number; workers: { pid?: number }[] };
  return { status: response.status, serving: body.serving, pids: body.workers.map(({ pid }) => pid ?? 0) };
}

/** Looks again and again; the test's own timeout is the limit. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const until = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

function parse(line: string): Line {
  try {
    return JSON.parse(line);
  } catch {
    return { text: line };
  }
}
