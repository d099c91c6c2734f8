// From snapshots of the host to what is shown of it: rates and shares since a few seconds ago, and a past of charts.
import type { Milliseconds } from '../../core/units.ts';
import type { HostSnapshot, HostWorker } from '../../monitor/snapshot.ts';
import type { AdviceLine, AlertLine, ChartPoint, Frame, TailLine, WorkerStats } from './frame.ts';
import { hostStats } from './frame-host.ts';
import { pageStats } from './frame-pages.ts';
import { tierStats } from './frame-tiers.ts';
import { perSecond, quantile } from './rates.ts';
import { histogramBetween, type Sample, sampleOf } from './sums.ts';

/** Rates are over this long: one second alone jumps too much to be read. */
const RATE_MS: Milliseconds = 5000;
/** Percentiles need more answers than rates do. */
const PERCENTILE_MS: Milliseconds = 30_000;
const POINT_EVERY_MS: Milliseconds = 5000;
/** Half an hour. */
const MAX_POINTS = 360;

export interface FrameExtras {
  readonly alerts: readonly AlertLine[];
  readonly advice: readonly AdviceLine[];
  readonly tail: readonly TailLine[];
  readonly tailSkipped: number;
}

export class Frames {
  #samples: Sample[] = [];
  readonly #points: ChartPoint[] = [];

  /** Every snapshot that is taken, so that there is a past to compare with and to draw. */
  see(snapshot: HostSnapshot): void {
    const sample = sampleOf(snapshot);
    const newest = this.#samples.at(-1);
    // A wall clock that was set back: what was before it cannot be compared.
    if (newest !== undefined && sample.atMs < newest.atMs) this.#samples = [];
    const recent = this.#samples.filter(({ atMs }) => sample.atMs - atMs <= PERCENTILE_MS);
    // Where snapshots are taken more rarely than that, the last one still is what there is to compare with.
    this.#samples = [...(recent.length === 0 ? this.#samples.slice(-1) : recent), sample];
    const last = this.#points.at(-1);
    if (last !== undefined && sample.atMs - last.atMs < POINT_EVERY_MS - 500) return;
    this.#points.push(this.frame(snapshot).point);
    if (this.#points.length > MAX_POINTS) this.#points.shift();
  }

  /** Oldest first. */
  get points(): readonly ChartPoint[] {
    return this.#points;
  }

  /** Of a snapshot that was seen. */
  frame(snapshot: HostSnapshot, extras: FrameExtras = NOTHING): Frame {
    const now = this.#samples.findLast(({ atMs }) => atMs === snapshot.takenAtMs) ?? sampleOf(snapshot);
    const before = this.#closest(now, RATE_MS);
    const longBefore = this.#samples.find(({ atMs }) => atMs < now.atMs);
    // A worker that is younger than that is compared with when it was first heard of.
    const first = (pid: number | undefined) =>
      this.#samples.find(({ atMs, workers }) => atMs < now.atMs && workers.has(pid ?? 0));
    const { primary } = snapshot;
    const frame = {
      atMs: snapshot.takenAtMs,
      version: primary.version,
      phase: primary.phase,
      ready: primary.ready,
      uptimeMs: Math.max(0, snapshot.takenAtMs - primary.startedAtMs),
      ...hostStats(snapshot, now, before, longBefore),
      workers: snapshot.workers.map((worker) => workerStats(worker, now, before, first(worker.pid))),
      tiers: tierStats(snapshot, now, before),
      pages: pageStats(snapshot, now, before),
      ...extras,
    };
    return { ...frame, point: pointOf(frame) };
  }

  /** The sample that is most nearly this old: rates over much less jump, and those over much more lag. */
  #closest(now: Sample, ageMs: Milliseconds): Sample | undefined {
    const distance = ({ atMs }: Sample) => Math.abs(now.atMs - atMs - ageMs);
    return this.#samples
      .filter(({ atMs }) => atMs < now.atMs)
      .reduce<Sample | undefined>(
        (best, sample) => (best === undefined || distance(sample) < distance(best) ? sample : best),
        undefined,
      );
  }
}

const NOTHING: FrameExtras = { alerts: [], advice: [], tail: [], tailSkipped: 0 };

function workerStats(
  { slot, pid, state, servingMs, deaths, answered, snapshot }: HostWorker,
  now: Sample,
  before: Sample | undefined,
  longBefore: Sample | undefined,
): WorkerStats {
  const sums = pid === undefined ? undefined : now.workers.get(pid);
  const earlier = pid === undefined ? undefined : before?.workers.get(pid);
  const window = sums && histogramBetween(longBefore?.workers.get(pid ?? 0)?.durations, sums.durations);
  const levels = snapshot?.process;
  return {
    slot,
    pid: pid ?? null,
    state,
    servingMs,
    restarts: deaths,
    answers: answered,
    requestsPerSecond: perSecond(now, before, sums?.requests, earlier?.requests),
    p50Ms: quantile(window, 0.5),
    p99Ms: quantile(window, 0.99),
    loopP99Ms: levels?.loopDelayP99Ms ?? null,
    utilization: levels?.loopUtilization ?? null,
    heapBytes: levels?.heapUsedBytes ?? null,
    heapLimitBytes: levels?.heapLimitBytes ?? null,
    rssBytes: levels?.rssBytes ?? null,
    inFlight: snapshot?.http.inFlight ?? null,
  };
}

function pointOf({ atMs, box, tiers, coherence }: Omit<Frame, 'point'>): ChartPoint {
  const shares: Record<string, number | null> = {};
  const held: Record<string, number | null> = {};
  for (const { tier, hitShare, bytes } of tiers) {
    shares[tier] = hitShare;
    held[tier] = bytes;
  }
  return {
    atMs,
    hits: box.hitsPerSecond,
    renders: box.rendersPerSecond,
    errors: box.errorsPerSecond,
    shares,
    bytes: held,
    purges: coherence.purgesPerSecond,
    appliedP99Ms: coherence.appliedP99Ms,
  };
}
