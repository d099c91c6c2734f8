// The figures that the performance guide of Coherent.js names, measured here, so that they can be compared with what
// it promises: improvement by caching 81 %, cache effectiveness 99 %, static cache ~0.001 ms, dynamic ~0.01 ms,
// memory freed after cleanup.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PageEntry } from '../src/cache/entry.ts';
import { MemoryTier } from '../src/cache/memory/memory.ts';
import { weighPage } from '../src/cache/memory/weight.ts';
import { systemClock } from '../src/core/clock.ts';
import { PurgeClock } from '../src/invalidation/clock/clock.ts';
import { visit } from './churn.ts';
import { type Contestant, Field } from './contestant.ts';
import { burst, median } from './load.ts';
import { startOurs } from './peers.ts';
import type { Table } from './table.ts';

const REQUESTS = 2000;

export async function guide(): Promise<Table[]> {
  await using field = new Field();
  const ours = await field.add(startOurs());
  await oneByOne(ours, (n) => `/card/warm${n}`);
  const miss = await oneByOne(ours, (n) => `/card/new${n}`);
  const hit = await oneByOne(ours, () => '/card/1');
  await burst(ours, { path: visit, seconds: 5 });
  const inUse = await oneByOne(ours, (n) => visit(n + 1_000_000));
  const { pinned, memory, filledMb, leftMb } = tiers();
  return [
    {
      title: 'The figures of the performance guide',
      notes: [
        'What the guide names, and what it is here. Times of requests are medians as a client on the same machine sees them, one',
        'request after the other; most of such a time is the way to the server and back, which no cache shortens.',
      ],
      columns: ['figure', 'guide', 'here', 'how'],
      rows: [
        [
          'a request for a page not rendered before',
          '-',
          ms(miss.medianMs),
          'median; load, render, store, send',
        ],
        ['a request for a cached page', '-', ms(hit.medianMs), 'median'],
        [
          'improvement by caching',
          '81 %',
          percent(1 - hit.medianMs / miss.medianMs),
          'of the whole time of a request',
        ],
        [
          'cache effectiveness',
          '99 %',
          percent(inUse.hits),
          `answers from memory in the churn traffic, of which a tenth goes to 50,000 pages hardly ever asked for`,
        ],
        ['static cache', '~0.001 ms', ms(pinned), 'finding an entry in the static tier and judging it valid'],
        ['dynamic cache', '~0.01 ms', ms(memory), 'the same in L1, with its bookkeeping'],
        [
          'memory after cleanup',
          'freed',
          `${filledMb.toFixed(0)} MB, then ${leftMb.toFixed(1)} MB`,
          'beyond the start: 10,000 pages in L1, then after clear() and a collection',
        ],
      ],
    },
  ];
}

async function oneByOne(
  { origin }: Contestant,
  path: (n: number) => string,
): Promise<{ medianMs: number; hits: number }> {
  const times: number[] = [];
  let hits = 0;
  for (let n = 0; n < REQUESTS; n++) {
    const begun = performance.now();
    const answer = await fetch(origin + path(n));
    await answer.arrayBuffer();
    times.push(performance.now() - begun);
    if (answer.headers.get('cache-status')?.includes('; hit') === true) hits++;
  }
  return { medianMs: median(times), hits: hits / REQUESTS };
}

function tiers(): { pinned: number; memory: number; filledMb: number; leftMb: number } {
  const validity = new PurgeClock({ epoch: 'bench' });
  const options = { clock: systemClock, validity, weigh: weighPage, maxGroupShare: 1 };
  const pinned = new MemoryTier<PageEntry>({ ...options, maxBytes: 1, maxPinnedBytes: 2 ** 30 });
  const memory = new MemoryTier<PageEntry>({ ...options, maxBytes: 2 ** 30 });
  const keys = Array.from({ length: 10_000 }, (_, index) => `page ${index}`);
  const before = usedMb();
  for (const key of keys) memory.set(key, entry(validity), 'group');
  const filledMb = usedMb() - before;
  for (const key of keys) pinned.set(key, entry(validity), 'group', true);
  const times = {
    pinned: lookUpMs(keys, (key) => pinned.fresh(key)),
    memory: lookUpMs(keys, (key) => memory.fresh(key)),
  };
  pinned.clear();
  memory.clear();
  return { ...times, filledMb, leftMb: usedMb() - before };
}

function lookUpMs(keys: readonly string[], find: (key: string) => object | undefined): number {
  const rounds: number[] = [];
  for (let round = 0; round < 50; round++) {
    const begun = performance.now();
    for (const key of keys) if (find(key) === undefined) throw new Error(`${key} is not there`);
    rounds.push((performance.now() - begun) / keys.length);
  }
  return median(rounds);
}

function entry(validity: PurgeClock): PageEntry {
  const untilMs = systemClock.now() + 3_600_000;
  return {
    status: 200,
    headers: [['content-type', 'text/html; charset=utf-8']],
    identity: Buffer.alloc(4096, 'x'),
    gzip: undefined,
    brotli: undefined,
    tag: 'tag',
    keys: ['users#1', 'posts.user_id=1', 'posts@rows'],
    stamp: validity.stamp(),
    createdMs: systemClock.now(),
    freshUntilMs: untilMs,
    staleUntilMs: untilMs,
    errorUntilMs: untilMs,
  };
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function usedMb(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

const ms = (value: number): string => `${value.toPrecision(2)} ms`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
