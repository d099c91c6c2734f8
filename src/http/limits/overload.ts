// What a worker feels of an overload, beside the line of renders: once a second it looks at its event loop and its heap.
//
//   loop delay p99 above the limit, or the heap nearly full     three times in a row -> shed
//   loop busy above the limit, or the heap filling up           three times in a row -> stale
//   well again                                                  at the first look that says so
//
// A loop can be blocked for 150 ms in every second and be busy for 15 % of the time: so both are looked at. A heap that
// fills up is looked at because a worker that dies of it answers no request; what was refused in time is answered elsewhere.
import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { type OverloadLevel, worse } from '../../core/overload-level.ts';
import type { Milliseconds } from '../../core/units.ts';

/** Of the time since the last look. */
export interface Signs {
  readonly loopDelayP99Ms: Milliseconds;
  /** 0 to 1: the share of the time that the loop was busy. */
  readonly loopUtilization: number;
  /** 0 to 1: of what the heap may hold. */
  readonly heap: number;
}

/** Where the signs come from. */
export interface Senses {
  look(): Signs;
  close(): void;
}

export interface OverloadLimits {
  readonly loopDelayMs: Milliseconds;
  /** 0 to 1. */
  readonly loopUtilization: number;
}

export interface OverloadOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: OverloadLimits;
  readonly senses?: Senses;
  /** Every second, whatever has been found. */
  readonly onLook?: () => void;
}

const LOOK_EVERY_MS: Milliseconds = 1000;
const IN_A_ROW = 3;
const HEAP_FILLS = 0.85;
const HEAP_NEARLY_FULL = 0.95;

export class Overload {
  readonly #options: OverloadOptions;
  readonly #senses: Senses;
  readonly #rows: Record<Exclude<OverloadLevel, 'none'>, number> = { stale: 0, shed: 0 };
  #overloadLevel: OverloadLevel = 'none';
  #signs: Signs = { loopDelayP99Ms: 0, loopUtilization: 0, heap: 0 };
  #timer: Timer | undefined;

  constructor(options: OverloadOptions) {
    this.#options = options;
    this.#senses = options.senses ?? ownSenses();
    this.#lookLater();
  }

  get overloadLevel(): OverloadLevel {
    return this.#overloadLevel;
  }

  /** The last look. */
  stats(): Signs & { readonly overloadLevel: OverloadLevel } {
    return { overloadLevel: this.#overloadLevel, ...this.#signs };
  }

  close(): void {
    this.#timer?.cancel();
    this.#senses.close();
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { log, onLook } = this.#options;
    this.#signs = this.#senses.look();
    const found = this.#judge(this.#signs);
    this.#rows.shed = found === 'shed' ? this.#rows.shed + 1 : 0;
    this.#rows.stale = found === 'none' ? 0 : this.#rows.stale + 1;
    const overloadLevel =
      this.#rows.shed >= IN_A_ROW ? 'shed' : this.#rows.stale >= IN_A_ROW ? 'stale' : 'none';
    if (overloadLevel !== this.#overloadLevel) {
      const write = worse(overloadLevel, this.#overloadLevel) === overloadLevel ? log.warn : log.info;
      write.call(
        log,
        { ...this.#signs, overloadLevel, before: this.#overloadLevel },
        'the overload level of this worker has changed',
      );
    }
    this.#overloadLevel = overloadLevel;
    onLook?.();
  }

  #judge({ loopDelayP99Ms, loopUtilization, heap }: Signs): OverloadLevel {
    const { limits } = this.#options;
    if (loopDelayP99Ms > limits.loopDelayMs || heap > HEAP_NEARLY_FULL) return 'shed';
    if (loopUtilization > limits.loopUtilization || heap > HEAP_FILLS) return 'stale';
    return 'none';
  }
}

/** Of this process. */
function ownSenses(): Senses {
  const delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let busy = performance.eventLoopUtilization();
  return {
    look() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, busy);
      busy = now;
      // The histogram notes the whole interval between two of its ticks, in ns; what is beyond the resolution is delay.
      const loopDelayP99Ms = Math.max(0, delay.percentile(99) / 1e6 - 20);
      delay.reset();
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      return { loopDelayP99Ms, loopUtilization: utilization, heap: used / limit };
    },
    close: () => delay.disable(),
  };
}
