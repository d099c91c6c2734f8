// The process of `coherent-server dev` that runs the application. Its life:
//
//   start     it is told where; the port is taken; Vite opens; the application is loaded once
//   serve     a save -> what imports the file is forgotten -> the application is put together again -> browsers are told
//   end       the channel to the parent closes, or SIGTERM comes
//
// An application that cannot be loaded is a page that says why. What it does to this process (an endless loop, a crash) the
// parent sees, and starts another.
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseAdvice } from '../src/author/dev/advice.ts';
import { DevServer } from '../src/author/dev/dev-server.ts';
import { failedPage } from '../src/author/dev/error-page.ts';
import { type Failure, failureOf } from '../src/author/dev/failure.ts';
import type { DevStart, FromDev } from '../src/author/dev/messages.ts';
import { Notices, shownPlace } from '../src/author/dev/notices.ts';
import { type DevSite, openDevSite } from '../src/author/dev/site.ts';
import { loadSources } from '../src/author/dev/source-application.ts';
import { TypeCheck, type TypeMistake, typeChecker } from '../src/author/dev/type-check.ts';
import { isCode, isInside } from '../src/author/folder.ts';
import { AppModules, type FileChange } from '../src/author/modules.ts';
import { systemClock } from '../src/core/clock.ts';
import { CoherentError } from '../src/core/errors.ts';
import { listen } from '../src/core/listen.ts';
import { Database } from '../src/data/read/database.ts';
import { FollowedSchema } from '../src/data/record/followed-schema.ts';
import { createLogger } from '../src/logging/logger.ts';
import { type PublicFiles, readPublicFiles } from '../src/page/application/public-files.ts';

const clientFile = fileURLToPath(new URL('../src/author/browser/client.js', import.meta.url));
/** Read once, when a process starts. */
const READ_AT_START = /^(\.env|package\.json|tsconfig(\..+)?\.json|vite\.config\.[cm]?[jt]s)$/;

let development: Promise<Development> | undefined;

process.on('message', (message: { type?: string; start?: DevStart }) => {
  if (message.type === 'start' && message.start !== undefined) development ??= begin(message.start);
});
process.on('disconnect', () => void end());
process.on('SIGTERM', () => void end());
// Ctrl-C reaches the whole group; the parent says when it is time.
process.on('SIGINT', () => {});
process.on('unhandledRejection', (error) => {
  process.stderr.write(
    `A promise was rejected and nothing awaited it: ${String((error as Error)?.stack ?? error)}\n`,
  );
});
setInterval(() => tell({ type: 'beat' }), 1000).unref();

async function begin(start: DevStart): Promise<Development> {
  try {
    const begun = await Development.open(start);
    tell({ type: 'ready', url: begun.url, pages: begun.pages });
    return begun;
  } catch (error) {
    const code = error instanceof CoherentError ? error.code : 'E_DEV';
    tell({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect?.();
    throw error;
  }
}

async function end(): Promise<void> {
  await development?.then((each) => each.close()).catch(() => {});
  process.exit();
}

function tell(message: FromDev): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

class Development {
  readonly url: string;
  readonly #start: DevStart;
  readonly #modules: AppModules;
  readonly #server: DevServer;
  readonly #notices: Notices;
  readonly #schema: FollowedSchema;
  readonly #database: Database;
  readonly #advice: DatabaseAdvice;
  readonly #types: TypeCheck | undefined;
  #mistakes: readonly TypeMistake[] = [];
  #files: PublicFiles | undefined;
  #site: DevSite | undefined;
  #hasBroken = false;
  /** One after the other: two saves may come faster than one is loaded. */
  #loading: Promise<void> = Promise.resolve();
  pages = 0;

  private constructor(
    start: DevStart,
    server: DevServer,
    port: number,
    modules: AppModules,
    notices: Notices,
  ) {
    this.#start = start;
    this.#server = server;
    this.#modules = modules;
    this.#notices = notices;
    this.url = `http://localhost:${port}/`;
    const { config, project } = start;
    const logger = createLogger('silent', {});
    const clock = systemClock;
    // Without a feed: what production would follow is what is said of statements.
    this.#schema = new FollowedSchema({ read: (sql) => this.#database.run(sql), publication: null, logger });
    this.#database = new Database({
      connectionString: start.databaseUrl,
      logger,
      clock,
      max: Math.min(config.dbPoolMax, 5),
      connectTimeoutMs: config.dbConnectTimeoutMs,
      statementTimeoutMs: config.dbStatementTimeoutMs,
      pooler: config.dbPooler,
      observer: this.#schema,
      applicationName: 'coherent-dev',
    });
    this.#advice = new DatabaseAdvice(this.#database, notices);
    const command = start.types ? typeChecker(project) : undefined;
    this.#types = command && new TypeCheck(project, command, (mistakes) => this.#typesChecked(mistakes));
  }

  static async open(start: DevStart): Promise<Development> {
    const { config, folder, project, hosts } = start;
    const notices = new Notices((notice) => {
      const where = notice.place === undefined ? '' : `${shownPlace(notice.place)} `;
      process.stdout.write(`${yellow('note')} ${where}${notice.text}\n`);
      server.say({ type: 'notice', text: `${where}${notice.text}` });
    });
    let made: Development | undefined;
    const server = new DevServer({
      clientFile,
      hosts,
      hello: () => ({ type: 'hello', types: (made?.mistakes ?? []).map(forBrowser) }),
    });
    const host = hosts.length === 0 ? '127.0.0.1' : '0.0.0.0';
    const port = await listen(server.http, { portName: 'PORT', hostName: 'HOST', port: config.port, host });
    const modules = await AppModules.open({ folder, project, watch: true });
    made = new Development(start, server, port, modules, notices);
    await made.#load();
    modules.onChange((changes) => void made.#changed(changes));
    modules.onWatchError((error) => {
      process.stderr.write(`Files cannot be watched, so saves are not seen: ${String(error)}\n`);
    });
    made.#types?.look();
    void made.#advice.lookAtTables();
    return made;
  }

  get mistakes(): readonly TypeMistake[] {
    return this.#mistakes;
  }

  async close(): Promise<void> {
    this.#types?.close();
    await Promise.allSettled([this.#server.close(), this.#modules.close(), this.#database.close()]);
    await this.#site?.close();
  }

  #changed(changes: readonly FileChange[]): Promise<void> {
    const { folder, project } = this.#start;
    const atStart = changes.find(
      ({ file }) => join(project, basename(file)) === file && READ_AT_START.test(basename(file)),
    );
    if (atStart !== undefined) {
      tell({ type: 'restart', why: `${basename(atStart.file)} has changed` });
      return Promise.resolve();
    }
    const code = changes.filter(({ file, kind }) => this.#matters(file, kind));
    const isPublic = changes.some(({ file }) => isInside(join(folder, 'public'), file));
    if (changes.some(({ file }) => isCode(file))) this.#types?.look();
    if (code.length === 0 && !isPublic) return Promise.resolve();
    const load = async () => {
      const before = this.#files;
      if (isPublic) this.#files = undefined;
      if (this.#hasBroken) this.#modules.forgetAll();
      else for (const { file } of code) this.#modules.forget(file);
      // The schema may have changed with the code that reads it.
      this.#schema.changed();
      this.#database.schemaChanged();
      await this.#load();
      const hrefs = code.length === 0 ? changedStyles(before, this.#files) : undefined;
      this.#server.say(hrefs === undefined ? { type: 'reload' } : { type: 'styles', hrefs });
    };
    this.#loading = this.#loading.then(load).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    });
    return this.#loading;
  }

  #matters(file: string, kind: FileChange['kind']): boolean {
    if (this.#modules.knows(file)) return true;
    if (!isCode(file)) return false;
    return kind !== 'changed' || this.#hasBroken || isInside(join(this.#start.folder, 'pages'), file);
  }

  /** Never rejects: what is wrong is what is shown. */
  async #load(): Promise<void> {
    const { folder, project, config } = this.#start;
    const startedMs = performance.now();
    const former = this.#site;
    try {
      this.#files ??= await readPublicFiles(join(folder, 'public'));
      const source = await loadSources({
        folder,
        modules: this.#modules,
        publicFiles: this.#files,
        live: true,
      });
      this.#site = openDevSite({
        source,
        config,
        project,
        database: this.#database,
        advice: this.#advice,
        notices: this.#notices,
        onFailure: (route, failure) => this.#tellFailure(route, failure),
      });
      const { handler } = this.#site;
      this.#server.answerWith({ handle: (request, response) => handler.handle(request, response) });
      this.#hasBroken = source.broken.size > 0;
      this.pages = source.application.routes.length;
      for (const [pageFile, error] of source.broken)
        this.#tellFailure(undefined, failureOf(error, { project, pageFile }));
      if (former !== undefined)
        process.stdout.write(`${grey(`loaded in ${Math.round(performance.now() - startedMs)} ms`)}\n`);
    } catch (error) {
      this.#hasBroken = true;
      const failure = failureOf(error, { project });
      this.#server.answerWith({ brokenPage: await failedPage({ status: 500, failure }) });
      this.#tellFailure(undefined, failure);
    }
    if (former !== this.#site) await former?.close();
  }

  #tellFailure(route: string | undefined, { kind, message, place, frame, statement }: Failure): void {
    const where = [route, place && shownPlace(place)].filter((each) => each !== undefined).join(' ');
    const lines = [`${red(kind)} ${where}`, message, frame, statement && grey(statement.text)];
    process.stdout.write(`${lines.filter((line) => line !== undefined).join('\n')}\n`);
  }

  #typesChecked(mistakes: readonly TypeMistake[]): void {
    const before = new Set(this.#mistakes.map(textOf));
    const had = this.#mistakes.length > 0;
    this.#mistakes = mistakes;
    for (const mistake of mistakes) {
      if (before.has(textOf(mistake))) continue;
      process.stdout.write(`${red(mistake.code)} ${textOf(mistake)}\n${mistake.frame ?? ''}\n`);
    }
    if (had && mistakes.length === 0) process.stdout.write(`${grey('types are right again')}\n`);
    this.#server.say({ type: 'types', mistakes: mistakes.map(forBrowser) });
  }
}

function textOf(mistake: TypeMistake): string {
  return `${shownPlace(mistake)} ${mistake.message}`;
}

function forBrowser(mistake: TypeMistake) {
  const { code, message, frame } = mistake;
  return { place: shownPlace(mistake), message: `${code}: ${message}`, frame };
}

/** New addresses by path, where nothing but style sheets have changed. Undefined: pages show more than that. */
function changedStyles(
  before: PublicFiles | undefined,
  after: PublicFiles | undefined,
): Readonly<Record<string, string>> | undefined {
  if (before === undefined || after === undefined || before.listed.size !== after.listed.size)
    return undefined;
  const hrefs: Record<string, string> = {};
  for (const [path, { hash }] of after.listed) {
    const former = before.listed.get(path);
    if (former?.hash === hash) continue;
    if (former === undefined || !path.endsWith('.css')) return undefined;
    hrefs[`/${path}`] = after.asset(path);
  }
  return hrefs;
}

const colour = (code: number) => (text: string) =>
  process.stdout.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text;
const red = colour(31);
const yellow = colour(33);
const grey = colour(90);
