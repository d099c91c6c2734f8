// One run without hostile clients and one with them: afterwards the worker holds no more descriptors, connections and
// work than before, and about as much memory; visitors were answered all the time.
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Build } from '../support/built-server.ts';
import { startBuilt } from '../support/built-server.ts';
import { type OpenLoopResult, openLoop, percentile } from '../support/open-loop.ts';
import { childrenOf } from '../support/processes.ts';
import { scrape } from '../support/scrape.ts';
import { attack, KINDS } from './kinds.ts';
import { hostileSite } from './site.ts';

export interface Run {
  readonly build: Build;
  /** Hostile ones, of all kinds together. */
  readonly connections: number;
  /** Of visitors. */
  readonly perSecond: number;
  readonly seconds: number;
  /** Within this everything is as it was. */
  readonly restMs: number;
}

interface Held {
  readonly descriptors: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly rssMb: number;
}

export interface Outcome {
  readonly before: Held;
  readonly after: Held;
  /** With all hostile connections at once. */
  readonly calm: { readonly p99Ms: number; readonly lost: number };
  readonly attacked: { readonly p99Ms: number; readonly lost: number };
  readonly attacks: number;
  readonly logBytes: number;
}

const NOTHING_HELD: Held = { descriptors: Number.POSITIVE_INFINITY, connections: 0, inFlight: 0, rssMb: 0 };

export const MEMORY_SLACK_MB = 32;

/** Not more at once than the queue of a listening socket takes. */
const AT_ONCE = 100;

export async function check({ build, connections, perSecond, seconds, restMs }: Run): Promise<Outcome> {
  const known = new Set(childrenOf(process.pid).map(({ pid }) => pid));
  const server = await startBuilt(build, hostileSite(build));
  try {
    const primary = childrenOf(process.pid).find(
      ({ pid, command }) => !known.has(pid) && /server\.js/.test(command),
    );
    const worker =
      childrenOf(primary?.pid ?? 0).find(({ command }) => /render/.test(command)) ??
      childrenOf(primary?.pid ?? 0)[0];
    if (worker === undefined) throw new Error('The worker was not found.');
    const operations = `http://127.0.0.1:${/"operations":"[^"]+:(\d+)"/.exec(server.output())?.[1]}`;
    const port = Number(new URL(server.url).port);
    const held = () => heldBy(worker.pid, operations);
    const visitors = () =>
      openLoop({
        origin: server.url,
        path: (n) => (n % 3 === 0 ? '/' : `/echo/${n % 20}`),
        perSecond,
        seconds,
        patienceMs: 10_000,
      });

    const calm = stats(await visitors());
    // The same once before, so that memory which the process keeps for the next time is no difference.
    for (const socket of await storm(port, connections, seconds * 1000)) socket.destroy();
    const before = await settled(held, NOTHING_HELD, restMs);
    const logBefore = server.output().length;
    const [result, staying] = await Promise.all([visitors(), storm(port, connections, seconds * 1000)]);
    for (const socket of staying) socket.destroy();
    const after = await settled(held, before, restMs);
    return {
      before,
      after,
      calm,
      attacked: stats(result),
      attacks: connections,
      logBytes: server.output().length - logBefore,
    };
  } finally {
    await server.stop();
  }
}

/** All kinds in turns, spread over `overMs`; gives back those that stay. */
async function storm(port: number, connections: number, overMs: number): Promise<Socket[]> {
  const staying: Socket[] = [];
  const beganMs = performance.now();
  for (let n = 0; n < connections; ) {
    const some = Array.from({ length: Math.min(AT_ONCE, connections - n) }, () => {
      const kind = KINDS[n % KINDS.length];
      n += 1;
      return kind === undefined ? Promise.resolve(undefined) : attack(kind, port, n);
    });
    for (const socket of await Promise.all(some)) if (socket !== undefined) staying.push(socket);
    const aheadMs = (n / connections) * overMs - (performance.now() - beganMs);
    if (aheadMs > 0) await pause(aheadMs);
  }
  return staying;
}

function stats({ answers, gone, failed }: OpenLoopResult): Outcome['calm'] {
  const latencies = answers.map(({ latencyMs }) => latencyMs);
  const wrong = answers.filter(({ status }) => status !== 200).length;
  return { p99Ms: percentile(latencies, 0.99), lost: gone + failed + wrong };
}

/** What is held once it is no more than `wanted`, or after `withinMs`. */
async function settled(held: () => Promise<Held>, wanted: Held, withinMs: number): Promise<Held> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const now = await held();
    const isCalm = now.connections <= wanted.connections && now.inFlight <= wanted.inFlight;
    // Nobody collects garbage while nothing is asked for: what is left of it goes with the next requests.
    const isSmall = wanted === NOTHING_HELD || now.rssMb <= wanted.rssMb + MEMORY_SLACK_MB;
    if ((isCalm && isSmall && now.descriptors <= wanted.descriptors) || performance.now() > untilMs)
      return now;
    await pause(250);
  }
}

async function heldBy(pid: number, operations: string): Promise<Held> {
  const { series } = await scrape(operations);
  const level = (name: string) =>
    [...series]
      .filter(([key]) => key.startsWith(`${name}{`) || key === name)
      .reduce((sum, [, value]) => sum + value, 0);
  const [, rssKb = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    connections: level('coherent_http_connections'),
    inFlight: level('coherent_http_connections_busy'),
    rssMb: Number(rssKb) / 1024,
  };
}
