// How this process is: memory, CPU, and how its event loop turns. Read in windows, so that what is told is of the last
// whole window and does not depend on who asks how often.
import {
  constants,
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Clock, Timer } from '../core/clock.ts';
import type { Milliseconds } from '../core/units.ts';

const WINDOW_MS: Milliseconds = 5000;
/** The histogram's own timer: it measures the distance of its ticks, so this much is no delay. */
const RESOLUTION_MS: Milliseconds = 20;

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak-callbacks',
};

interface Window {
  readonly loopDelayP50Ms: Milliseconds;
  readonly loopDelayP99Ms: Milliseconds;
  readonly loopDelayMaxMs: Milliseconds;
  /** 0 to 1 */
  readonly loopUtilization: number;
  readonly loopWindowMs: Milliseconds;
  /** 1 is one CPU. */
  readonly cpuShare: number;
}

export class ProcessStats {
  readonly #clock: Clock;
  readonly #delay: IntervalHistogram;
  readonly #observer: PerformanceObserver;
  readonly #gc = new Map<string, { runs: number; totalMs: Milliseconds }>();
  readonly #startedAtMs: number;
  #utilization: EventLoopUtilization;
  #cpu: NodeJS.CpuUsage;
  #sinceMs: Milliseconds;
  #window: Window | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAtMs = performance.timeOrigin;
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#utilization = performance.eventLoopUtilization();
    this.#cpu = process.cpuUsage();
    this.#sinceMs = clock.monotonic();
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#collected(entry);
    });
  }

  start(): void {
    this.#delay.enable();
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#tick();
  }

  close(): void {
    this.#timer?.cancel();
    this.#delay.disable();
    this.#observer.disconnect();
  }

  /** Unix time. */
  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  counts() {
    const { user, system } = process.cpuUsage();
    const gc = [...this.#gc].map(([kind, runs]) => ({ kind, ...runs }));
    return { cpuUserMs: user / 1000, cpuSystemMs: system / 1000, gc };
  }

  levels() {
    return {
      ...memoryLevels(),
      // Before the first window is over: what there is of it.
      ...(this.#window ?? this.#measure()),
    };
  }

  #tick(): void {
    this.#timer = this.#clock.after(WINDOW_MS, () => {
      this.#window = this.#measure();
      this.#delay.reset();
      this.#utilization = performance.eventLoopUtilization();
      this.#cpu = process.cpuUsage();
      this.#sinceMs = this.#clock.monotonic();
      this.#tick();
    });
  }

  #measure(): Window {
    const loopWindowMs = this.#clock.monotonic() - this.#sinceMs;
    const { user, system } = process.cpuUsage(this.#cpu);
    const lateMs = (nanoseconds: number) =>
      this.#delay.count === 0 ? 0 : Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const { utilization } = performance.eventLoopUtilization(this.#utilization);
    return {
      loopDelayP50Ms: lateMs(this.#delay.percentile(50)),
      loopDelayP99Ms: lateMs(this.#delay.percentile(99)),
      loopDelayMaxMs: lateMs(this.#delay.max),
      loopUtilization: Math.min(1, Math.max(0, utilization)),
      loopWindowMs,
      cpuShare: loopWindowMs > 0 ? (user + system) / 1000 / loopWindowMs : 0,
    };
  }

  #collected(entry: PerformanceEntry): void {
    const kind = isOfGc(entry) ? (GC_KINDS[entry.detail.kind] ?? 'other') : 'other';
    const runs = this.#gc.get(kind) ?? { runs: 0, totalMs: 0 };
    runs.runs++;
    runs.totalMs += entry.duration;
    this.#gc.set(kind, runs);
  }
}

/**
 * Not `process.memoryUsage()`: that opens a file, and throws where no descriptor is left, or no memory. Then one figure is
 * missing; the others are V8's own.
 */
export function memoryLevels() {
  const { used_heap_size, total_heap_size, heap_size_limit, external_memory } = getHeapStatistics();
  return {
    rssBytes: residentBytes(),
    heapUsedBytes: used_heap_size,
    heapTotalBytes: total_heap_size,
    heapLimitBytes: heap_size_limit,
    externalBytes: external_memory,
  };
}

function residentBytes(): number | null {
  try {
    return process.memoryUsage.rss();
  } catch {
    return null;
  }
}

/** As Node has it; the types do not know `detail`. */
function isOfGc(entry: object): entry is { readonly detail: { readonly kind: number } } {
  if (!('detail' in entry) || typeof entry.detail !== 'object' || entry.detail === null) return false;
  return 'kind' in entry.detail && typeof entry.detail.kind === 'number';
}
