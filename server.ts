#!/usr/bin/env node
// The entry point. This process becomes the primary; the workers it forks start in workers/.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config/config.ts';
import { loadConfig, loadConfigWithSources } from './config/load.ts';
import { searchPath } from './config/machine.ts';
import { formatReport, hostOf, report } from './config/report.ts';
import { type Command, parseCommand } from './src/cli/cli.ts';
import { UsageError } from './src/cli/errors.ts';
import { explainText } from './src/cli/explain-text.ts';
import { askOperations } from './src/cli/operations-client.ts';
import { top } from './src/cli/top/run-top.ts';
import { runPrimary } from './src/cluster/run.ts';
import { BUILD_FILE } from './src/core/build-file.ts';
import { systemClock } from './src/core/clock.ts';
import { CoherentError } from './src/core/errors.ts';
import { findRedisProgram } from './src/embedded/redis-program.ts';
import { createLogger } from './src/logging/logger.ts';
import { survivePipes } from './src/logging/survive-pipes.ts';

// `.js` in dist/, `.ts` where TypeScript is run as it stands.
const extension = path.extname(import.meta.filename);
const beside = (file: string) => fileURLToPath(new URL(`${file}${extension}`, import.meta.url));

async function run(command: Command): Promise<number> {
  switch (command.name) {
    case 'start':
      return await runPrimary({
        config: withBuild(loadConfig()),
        version: version(),
        workerFile: beside('./workers/render'),
        servicesFile: beside('./workers/services'),
        feedFile: beside('./workers/feed'),
        hasRedisProgram: findRedisProgram(searchPath()) !== undefined,
      });
    case 'dev': {
      const { runDev } = await import('./src/author/dev/run-dev.ts');
      return await runDev({
        ...command,
        version: version(),
        devFile: beside('./workers/dev'),
        servicesFile: beside('./workers/services'),
      });
    }
    case 'init': {
      const { runInit } = await import('./src/author/init/run-init.ts');
      return await runInit({ ...command, version: version() });
    }
    case 'build': {
      const { runBuild } = await import('./src/author/build/run-build.ts');
      return await runBuild(command);
    }
    case 'routes': {
      const { runRoutes } = await import('./src/author/routes/run-routes.ts');
      return await runRoutes(command);
    }
    case 'config': {
      const lines = report(loadConfigWithSources());
      process.stdout.write(`${command.json ? JSON.stringify(lines, null, 2) : formatReport(lines)}\n`);
      return 0;
    }
    case 'db setup':
      return await setUpDatabase(command.sample);
    case 'db remove':
      return await clearDatabase(command.force);
    case 'db prepare':
      return await printPreparation(command.role);
    case 'purge': {
      const isPattern = (key: string) => key.includes('*');
      return await ask('POST', '/purge', {
        keys: command.keys.filter((key) => !isPattern(key)),
        patterns: command.keys.filter(isPattern),
        kind: command.expire ? 'expire' : 'purge',
        wait: command.wait,
      });
    }
    case 'explain': {
      const name = command.what.startsWith('/') ? 'url' : 'key';
      const target = `/explain?${new URLSearchParams({ [name]: command.what })}`;
      // Programs that read it through a pipe get JSON, as they always did.
      const isForPeople = process.stdout.isTTY && !command.json;
      return await ask('GET', target, undefined, isForPeople ? explainText : undefined);
    }
    case 'report':
      return await ask('GET', command.json ? '/report' : '/report?format=text');
    case 'top': {
      const { opsHost: host, opsPort: port, opsToken: token } = loadConfig();
      const { stdin: input, stdout: output } = process;
      return await top({
        address: { host, port, token },
        once: command.once,
        input,
        output,
        clock: systemClock,
      });
    }
    case 'help':
      process.stdout.write(command.text);
      return 0;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return 0;
  }
}

/** APP, or dist/ of this folder where `coherent-server build` has made it. */
function withBuild(config: Config): Config {
  if (config.app !== undefined || !existsSync(path.join('dist', BUILD_FILE))) return config;
  return Object.freeze({ ...config, app: path.resolve('dist') });
}

/** Asks the running server on its operations port. */
async function ask(
  method: 'GET' | 'POST',
  target: string,
  question?: unknown,
  asText: (body: unknown) => string | undefined = () => undefined,
): Promise<number> {
  const { opsHost, opsPort, opsToken } = loadConfig();
  const { status, body } = await askOperations(
    { host: opsHost, port: opsPort, token: opsToken },
    method,
    target,
    question,
  );
  const text = asText(body) ?? `${typeof body === 'string' ? body : JSON.stringify(body, null, 2)}\n`;
  process.stdout.write(text);
  return status < 300 ? 0 : 1;
}

/** Imported only here: a server that starts loads no data code into its primary. */
async function setUpDatabase(sample: boolean): Promise<number> {
  const { databaseUrl, app, dataDir, logLevel } = withBuild(loadConfig());
  if (databaseUrl === undefined) throw new UsageError('db setup needs DATABASE_URL: the database to set up');
  if (app === undefined && !sample)
    throw new UsageError(
      `db setup would write into ${hostOf(databaseUrl)}, and needs to know whose tables: set APP to the application, build one here, or give --sample for 160,000 rows of the sample`,
    );
  if (app !== undefined && sample) throw new UsageError('db setup takes APP or --sample, not both');
  const { prepare } = await import('./src/embedded/prepare.ts');
  const { progressOn } = await import('./src/embedded/progress.ts');
  const logger = createLogger(logLevel, { pid: process.pid });
  const { state, notes } = await prepare({
    databaseUrl,
    appFolder: app === undefined ? path.join(import.meta.dirname, 'app') : path.resolve(app),
    dataFolder: dataDir,
    progress: progressOn(process.stderr, logger),
    logger,
    clock: systemClock,
  });
  const said = {
    done: 'set up',
    kept: 'was set up before; nothing changed',
    none: 'the application has nothing to set up',
  };
  process.stdout.write(`${[`${hostOf(databaseUrl)}: ${said[state]}`, ...notes].join('\n')}\n`);
  return 0;
}

/** What a fleet that is stopped for good leaves behind keeps the log of the database. */
async function clearDatabase(force: boolean): Promise<number> {
  const { databaseUrl, feedDatabaseUrl, feedSlot } = loadConfig();
  const url = feedDatabaseUrl ?? databaseUrl;
  if (url === undefined) throw new UsageError('db remove needs DATABASE_URL: the database to clear');
  const { removeFrom } = await import('./src/data/feed/remove.ts');
  const removed = await removeFrom(url, { slot: feedSlot, force });
  const said =
    removed.length === 0 ? ['nothing of this server is there'] : removed.map((each) => `removed ${each}`);
  process.stdout.write(`${said.map((each) => `${hostOf(url)}: ${each}`).join('\n')}\n`);
  return 0;
}

/** For a DBA, where the role of the server may not do it by itself. */
async function printPreparation(given: string | undefined): Promise<number> {
  const { databaseUrl, feedDatabaseUrl } = loadConfig();
  const url = feedDatabaseUrl ?? databaseUrl;
  const role = given ?? (url && decodeURIComponent(new URL(url).username));
  if (role === undefined || role === '')
    throw new UsageError('db prepare needs to know for whom: name the role, or set DATABASE_URL');
  const { prepareSql } = await import('./src/data/feed/install-sql.ts');
  process.stdout.write(prepareSql(role));
  return 0;
}

/** package.json is beside this file, or above dist/. */
function version(): string {
  for (const folder of ['.', '..']) {
    try {
      const file = new URL(`${folder}/package.json`, import.meta.url);
      return String(JSON.parse(readFileSync(file, 'utf8')).version);
    } catch {}
  }
  return 'unknown';
}

/** The stack of a wrong setting is of no use or a taken port; of anything else they do. */
function explain(error: unknown): string {
  if (!(error instanceof CoherentError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${error.code}: ${error.message}`;
}

survivePipes();
try {
  // Not left to an empty event loop: a server that has stopped must be gone. What was written is out by now.
  process.exit(await run(parseCommand(process.argv.slice(2))));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}
