// The process that runs what was not configured. Forked by the primary before any render worker.
//
//   primary -> { type: 'start', config, only?, seedFile? }
//   us      -> { type: 'ready', databaseUrl?, redisUrl?, notes } | { type: 'failed', code, message }
//           -> { type: 'beat', inspected }     once a second: the event loop turns
//
// It lives as long as the primary: when the channel closes (the primary ended, or was killed) or SIGTERM comes,
// the services are shut down and the process ends with 0. When a service dies it ends with 1, and the primary
// starts it again. Ctrl+C is the primary's business: it finishes the pages that need us first.
import { url as inspectorUrl } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import { searchPath } from '../config/machine.ts';
import { systemClock } from '../src/core/clock.ts';
import { CoherentError } from '../src/core/errors.ts';
import { progressOn } from '../src/embedded/progress.ts';
import { findRedisProgram } from '../src/embedded/redis-program.ts';
import { type Services, startServices } from '../src/embedded/start.ts';
import { createLogger } from '../src/logging/logger.ts';
import { survivePipes } from '../src/logging/survive-pipes.ts';
import { StoppedChildren } from '../src/worker/stopped-children.ts';

let services: Promise<Services> | undefined;
let isClosing = false;

interface Start {
  readonly type?: string;
  readonly config?: Config;
  readonly only?: 'postgres';
  readonly seedFile?: string;
}

process.on('message', ({ type, config, ...more }: Start) => {
  if (type === 'start' && config !== undefined && services === undefined) {
    services = start(config, more);
    void services.catch(() => {});
  }
});
process.on('disconnect', () => void close(0));
process.on('SIGTERM', () => void close(0));
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
survivePipes();
setInterval(() => void tell({ type: 'beat', inspected: inspectorUrl() !== undefined }), 1000).unref();
const stopped = new StoppedChildren(systemClock);

async function start(config: Config, { only, seedFile }: Start): Promise<Services> {
  const logger = createLogger(config.logLevel, { pid: process.pid, part: 'services' });
  setInterval(() => {
    for (const pid of stopped.look())
      logger.error({ stopped: pid }, 'a service is stopped by a signal: killed');
  }, 1000).unref();
  try {
    const started = await startServices({
      dataDir: config.dataDir,
      postgres: config.databaseUrl === undefined ? {} : undefined,
      redisProgram:
        config.redisUrl === undefined && only === undefined ? findRedisProgram(searchPath()) : undefined,
      appFolder: config.app ?? fileURLToPath(new URL('../app', import.meta.url)),
      seedFile,
      logger,
      clock: systemClock,
      progress: progressOn(process.stderr, logger),
      onExit: () => {
        if (isClosing) return;
        logger.error({}, 'the embedded Postgres stopped by itself');
        void close(1);
      },
    });
    const { databaseUrl, redisUrl, notes } = started;
    await tell({ type: 'ready', databaseUrl, redisUrl, notes });
    return started;
  } catch (error) {
    if (!isClosing) logger.error({ err: error }, 'the services did not start');
    const code = error instanceof CoherentError ? error.code : 'E_SERVICES_FAILED';
    await tell({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    void close(1);
    throw error;
  }
}

/** Resolves when the message is written. A primary that is gone hears nothing, and that is no error here. */
function tell(message: object): Promise<void> {
  return new Promise((written) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => written());
    else written();
  });
}

/** Also while starting: what is half-way up comes up first, and is then closed properly. */
async function close(exitCode: number): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  await services?.then((started) => started.close()).catch(() => {});
  process.exit(exitCode);
}
