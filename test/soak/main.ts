// npm run soak -- [--minutes N] [--write]
//
// One server, two workers, under a mixed load for a long time: hits, misses, slow pages, addresses that lead nowhere,
// and a row changed 40 times a second, so that pages are purged and rendered again all the time; caches small enough to
// be full. What may grow without bound would show as memory that rises. Ends with 1 when it does, or when an answer was
// wrong or lost.
//
// Each process's resident memory is read every few seconds. The first third is not judged: caches fill, the JIT
// compiles. In the rest the slope is the median of the slopes between all pairs of readings (Theil-Sen). The feed is
// judged by what lives in its heap, at the first third and at the end: it makes so little that half an hour may lie
// between two of its major collections, and its resident memory rises from one to the next.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { slope } from '../../src/monitor/trend.ts';
import { section } from '../drills/document.ts';
import { History } from '../drills/history.ts';
import { Load } from '../drills/load.ts';
import { BOUND_MS, Scene } from '../drills/scene.ts';
import { buildServer } from '../support/built-server.ts';
import { pause } from '../support/pause.ts';
import { signal } from '../support/processes.ts';
import { linesSvg, type Series } from './plot.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    write: { type: 'boolean', default: false },
  },
});
const FILE = 'docs/reliability.md';
const PLOT = 'docs/images/soak.svg';
const MB = 1024 * 1024;
const lastMs = 60_000 * Number(values.minutes);
const everyMs = Math.max(1000, lastMs / 360);
/** Of a process, in MB an hour. One that leaks 1 KB a render would rise by more. */
const FLAT_MB_PER_HOUR = 40;
/** In less time the slope says nothing: caches are still filling. */
const JUDGED_MINUTES = 15;
/** The purges of the last seconds are in it, which may be more or fewer. */
const FLAT_LIVE_MB = 3;

const build = buildServer();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.once('exit', () => build.remove());

const scene = await Scene.prepare(build.folder);
try {
  await scene.start({
    L1_MAX_BYTES: '2MB',
    L3_MAX_BYTES: '16MB',
    HEAP_MAX_MB: '256',
    LOG_LEVEL: 'warn',
    NODE_OPTIONS: '--heapsnapshot-signal=SIGUSR2',
  });
  const [first = 0, second = 0] = scene.workerPids();
  const [feed = 0] = scene.feedPids();
  const watched = [
    { name: 'primary', pid: scene.primaryPid },
    { name: 'worker 0', pid: first },
    { name: 'worker 1', pid: second },
    { name: 'feed', pid: feed },
  ];
  const series: (Series & { readonly pid: number })[] = watched.map(({ name, pid }) => ({
    name,
    pid,
    points: [],
  }));
  const history = new History(scene.databaseUrl, BOUND_MS);
  const load = new Load({ port: scene.port, connections: 16, history, pauseMs: 10 });
  const began = performance.now();
  let liveBefore: number | undefined;
  while (performance.now() - began < lastMs) {
    await pause(everyMs);
    if (liveBefore === undefined && performance.now() - began > lastMs / 3) liveBefore = await liveMb(feed);
    const at = (performance.now() - began) / 3_600_000;
    for (const one of series) one.points.push({ at, value: residentBytes(one.pid) / MB });
  }
  const liveAfter = await liveMb(feed);
  const report = await load.stop();
  const { commits } = history;
  await history.close();
  const grown = liveAfter - (liveBefore ?? Number.NaN);

  const judged = series.map((one) => {
    const rest = one.points.slice(Math.floor(one.points.length / 3));
    const perHour = slope(rest) ?? 0;
    const sizes = rest.map(({ value }) => value);
    return { name: one.name, perHour, least: Math.min(...sizes), most: Math.max(...sizes) };
  });
  const text = [
    `${values.minutes} minutes; ${report.answered} requests answered, ${report.failed} of them 5xx, ${report.lost} lost, ${report.wrong} wrong; ${commits} commits.`,
    '',
    '| process | least MB | most MB | slope, MB an hour |',
    '| --- | ---: | ---: | ---: |',
    ...judged.map(
      ({ name, least, most, perHour }) =>
        `| ${name} | ${least.toFixed(1)} | ${most.toFixed(1)} | ${perHour.toFixed(1)} |`,
    ),
    '',
    `What lives in the heap of the feed: ${liveBefore?.toFixed(1)} MB at the first third, ${liveAfter.toFixed(1)} MB at the end.`,
  ].join('\n');
  process.stdout.write(`${text}\n`);
  if (values.write) {
    writeFileSync(PLOT, linesSvg('Resident memory, MB, over the minutes of the soak', series));
    writeFileSync(
      FILE,
      section(readFileSync(FILE, 'utf8'), 'soak', `${text}\n\n![Resident memory](images/soak.svg)`),
    );
  }
  const isLong = lastMs >= 60_000 * JUDGED_MINUTES;
  const rising = judged.filter(
    ({ name, perHour }) => isLong && name !== 'feed' && perHour > FLAT_MB_PER_HOUR,
  );
  for (const { name, perHour } of rising)
    process.stdout.write(`${name} rises by ${perHour.toFixed(1)} MB an hour\n`);
  const isFlat = grown <= FLAT_LIVE_MB;
  if (!isFlat) process.stdout.write(`the heap of the feed has ${grown.toFixed(1)} MB more to keep\n`);
  process.exitCode = !isFlat || rising.length > 0 || report.wrong > 0 || report.lost > 0 ? 1 : 0;
} finally {
  await scene.close();
}

/** From a snapshot of its heap, before which V8 collects all that can be collected. */
async function liveMb(pid: number): Promise<number> {
  const snapshots = () => readdirSync(scene.folder).filter((name) => name.includes(`.${pid}.`));
  signal(pid, 'SIGUSR2');
  for (;;) {
    await pause(200);
    const [name] = snapshots();
    if (name === undefined) continue;
    const file = join(scene.folder, name);
    const heap = parsed(readFileSync(file, 'utf8'));
    if (heap === undefined) continue;
    rmSync(file);
    const width = heap.snapshot.meta.node_fields.length;
    const at = heap.snapshot.meta.node_fields.indexOf('self_size');
    let bytes = 0;
    for (let node = at; node < heap.nodes.length; node += width) bytes += heap.nodes[node] ?? 0;
    return bytes / MB;
  }
}

interface HeapSnapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
}

/** Undefined while it is still being written. */
function parsed(text: string): HeapSnapshot | undefined {
  try {
    return JSON.parse(text) as HeapSnapshot;
  } catch {
    return undefined;
  }
}

/** Linux: pages in memory, of 4 KiB. NaN where the process is gone, so that it shows. */
function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  } catch {
    return Number.NaN;
  }
}
