// From snapshots of the box to what is shown of it: rates and shares since a few seconds ago, and a past of charts.
import type { Milliseconds } from '../../core/units.ts';
import type { BoxSnapshot, BoxWorker } from '../../monitor/snapshot.ts';
import type { AdviceLine, AlertLine, ChartPoint, Frame, TailLine, WorkerFigures } from './frame.ts';
import { boxFigures } from './frame-host.ts';
import { pageFigures } from './frame-pages.ts';
import { tierFigures } from './frame-tiers.ts';
import { perSecond, quantile } from './rates.ts';
import { histogramBetween, type Mark, markOf } from './sums.ts';

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
  #marks: Mark[] = [];
  readonly #points: ChartPoint[] = [];

  /** Every snapshot that is taken, so that there is a past to compare with and to draw. */
  see(snapshot: BoxSnapshot): void {
    const mark = markOf(snapshot);
    const newest = this.#marks.at(-1);
    // A wall clock that was set back: what was before it cannot be compared.
    if (newest !== undefined && mark.atMs < newest.atMs) this.#marks = [];
    const recent = this.#marks.filter(({ atMs }) => mark.atMs - atMs <= PERCENTILE_MS);
    // Where snapshots are taken more rarely than that, the last one still is what there is to compare with.
    this.#marks = [...(recent.length === 0 ? this.#marks.slice(-1) : recent), mark];
    const last = this.#points.at(-1);
    if (last !== undefined && mark.atMs - last.atMs < POINT_EVERY_MS - 500) return;
    this.#points.push(this.frame(snapshot).point);
    if (this.#points.length > MAX_POINTS) this.#points.shift();
  }

  /** Oldest first. */
  get points(): readonly ChartPoint[] {
    return this.#points;
  }

  /** Of a snapshot that was seen. */
  frame(snapshot: BoxSnapshot, extras: FrameExtras = NOTHING): Frame {
    const now = this.#marks.findLast(({ atMs }) => atMs === snapshot.takenAtMs) ?? markOf(snapshot);
    const before = this.#closest(now, RATE_MS);
    const longBefore = this.#marks.find(({ atMs }) => atMs < now.atMs);
    // A worker that is younger than that is compared with when it was first heard of.
    const first = (pid: number | undefined) =>
      this.#marks.find(({ atMs, workers }) => atMs < now.atMs && workers.has(pid ?? 0));
    const { primary } = snapshot;
    const frame = {
      atMs: snapshot.takenAtMs,
      version: primary.version,
      phase: primary.phase,
      ready: primary.ready,
      uptimeMs: Math.max(0, snapshot.takenAtMs - primary.startedAtMs),
      ...boxFigures(snapshot, now, before, longBefore),
      workers: snapshot.workers.map((worker) => workerFigures(worker, now, before, first(worker.pid))),
      tiers: tierFigures(snapshot, now, before),
      pages: pageFigures(snapshot, now, before),
      ...extras,
    };
    return { ...frame, point: pointOf(frame) };
  }

  /** The mark that is most nearly this old: rates over much less jump, and those over much more lag. */
  #closest(now: Mark, ageMs: Milliseconds): Mark | undefined {
    const distance = ({ atMs }: Mark) => Math.abs(now.atMs - atMs - ageMs);
    return this.#marks
      .filter(({ atMs }) => atMs < now.atMs)
      .reduce<Mark | undefined>(
        (best, mark) => (best === undefined || distance(mark) < distance(best) ? mark : best),
        undefined,
      );
  }
}

const NOTHING: FrameExtras = { alerts: [], advice: [], tail: [], tailSkipped: 0 };

function workerFigures(
  { slot, pid, state, servingMs, deaths, answered, snapshot }: BoxWorker,
  now: Mark,
  before: Mark | undefined,
  longBefore: Mark | undefined,
): WorkerFigures {
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
