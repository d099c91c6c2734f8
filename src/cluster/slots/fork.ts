// Forking through node:cluster, with the environment and V8 flags that a process can only get at birth:
// UV_THREADPOOL_SIZE and heap limits set inside a running process do nothing.
import { type ChildProcess, type ForkOptions as ForkOptionsOfNode, fork } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import type { Config } from '../../../config/config.ts';
import type { Logger } from '../../core/log.ts';
import { rescueHandoffs } from './handoff.ts';
import type { Forked } from './worker-process.ts';

export interface ForkOptions {
  /** The worker's file. */
  readonly file: string;
  readonly scheduling: Config['clusterScheduling'];
}

/** Sets node:cluster up (once a process) and returns what forks a worker. */
export function workerForker({ file, scheduling }: ForkOptions): (config: Config) => Forked {
  // With reuseport the workers' sockets are their own; the policy then only touches what is not.
  cluster.schedulingPolicy = scheduling === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  const accepting = new Set<Worker>();
  return (config) => {
    cluster.setupPrimary({ exec: file, args: [], execArgv: workerFlags(config), serialization: 'json' });
    // Pages need no right to read the log. What is undefined here is not in the worker's environment.
    const environment = { UV_THREADPOOL_SIZE: String(config.uvThreadpoolSize), FEED_DATABASE_URL: undefined };
    try {
      return adapt(cluster.fork(environment), accepting);
    } catch (error) {
      return stillborn(error);
    }
  };
}

/** Where the system has no memory for another process, Node throws instead of telling later. */
function stillborn(error: unknown): Forked {
  return {
    pid: 0,
    send: () => {},
    kill: () => {},
    onMessage: () => {},
    onExit: (handler) => void setImmediate(() => handler(null, `could not be forked: ${String(error)}`)),
  };
}

/** As `fork` of Node for the other processes of the primary. Undefined, and in the log, where the system has no room. */
export function tryFork(file: string, options: ForkOptionsOfNode, logger: Logger): ChildProcess | undefined {
  try {
    return fork(file, [], options);
  } catch (error) {
    logger.error({ err: error }, 'a process could not be forked');
    return undefined;
  }
}

function workerFlags(config: Config): string[] {
  return [
    ...process.execArgv,
    `--max-old-space-size=${config.heapMaxMb}`,
    `--max-semi-space-size=${config.semiSpaceMb}`,
  ];
}

/** `accepting`: the workers that take connections, kept by all of them together. */
function adapt(worker: Worker, accepting: Set<Worker>): Forked {
  const child = worker.process;
  worker.on('listening', () => accepting.add(worker));
  worker.on('exit', () => accepting.delete(worker));
  rescueHandoffs(worker, () => accepting.size > 0);
  return {
    pid: child.pid ?? 0,
    send: (message) => {
      if (message.type === 'drain') accepting.delete(worker);
      // Without a callback a message to a worker that is just dying becomes an 'error' event.
      if (child.connected) child.send(message, undefined, undefined, () => {});
    },
    kill: (signal) => {
      accepting.delete(worker);
      child.kill(signal);
    },
    onMessage: (handler) => void worker.on('message', handler),
    onExit: (handler) => {
      worker.on('exit', (code, signal) => handler(code, signal));
      // Also what makes a failed fork a death like any other, instead of the end of the primary.
      worker.on('error', () => {
        if (child.pid === undefined) handler(null, 'could not be forked');
      });
    },
  };
}
