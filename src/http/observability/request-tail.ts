// The last requests, recorded only while a dashboard shows them: it takes them every second or so, and when
// nobody has for OPEN_MS recording ends by itself. Bounded between two takes; hits have a place of their own, or they
// would leave none for the rest. What has no place is counted.
import type { Clock, Timer } from '../../core/clock.ts';
import type { EpochMs, Milliseconds } from '../../core/units.ts';

const OPEN_MS: Milliseconds = 4000;
export const MAX_HITS = 40;
export const MAX_OTHERS = 60;
const MAX_TARGET_LENGTH = 300;

export interface TailedRequest {
  readonly atMs: EpochMs;
  readonly method: string;
  /** As it came, cut: whatever a stranger typed. */
  readonly target: string;
  readonly status: number;
  /** `hit l1`, `miss`, `file` ... */
  readonly cache: string;
  /** null: answered by the fast path, which takes no time of its own. */
  readonly ms: Milliseconds | null;
}

export class RequestTail {
  /** Read on every hit; everything else here runs only while it is true. */
  isOpen = false;
  #hits: TailedRequest[] = [];
  #others: TailedRequest[] = [];
  #skipped = 0;
  #end: Timer | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The fast path has answered. */
  hit(method: string | undefined, target: string | undefined, status: number, tier: string): void {
    if (this.#hits.length < MAX_HITS)
      this.#hits.push(this.#line(method, target, status, `hit ${tier}`, null));
    else this.#skipped += 1;
  }

  /** The ordinary path has answered. */
  answered(
    method: string | undefined,
    target: string | undefined,
    status: number,
    cache: string,
    ms: Milliseconds,
  ): void {
    if (this.#others.length < MAX_OTHERS) this.#others.push(this.#line(method, target, status, cache, ms));
    else this.#skipped += 1;
  }

  /** What there was since the last time; from now on there is more. */
  take(): { readonly lines: readonly TailedRequest[]; readonly skipped: number } {
    const taken = { lines: [...this.#hits, ...this.#others], skipped: this.#skipped };
    this.#clear();
    this.isOpen = true;
    this.#end?.cancel();
    this.#end = this.#clock.after(OPEN_MS, () => this.close());
    return taken;
  }

  close(): void {
    this.isOpen = false;
    this.#end?.cancel();
    this.#clear();
  }

  #clear(): void {
    this.#hits = [];
    this.#others = [];
    this.#skipped = 0;
  }

  #line(method = '', target = '', status: number, cache: string, ms: Milliseconds | null): TailedRequest {
    return {
      atMs: this.#clock.now(),
      method: method.slice(0, 20),
      target: target.slice(0, MAX_TARGET_LENGTH),
      status,
      cache,
      ms,
    };
  }
}
