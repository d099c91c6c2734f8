import type { CacheKey } from '../contract.ts';

export interface BackgroundOptions {
  /** Renders in the background at the same time. */
  readonly maxRunning: number;
  /** What waits beyond these is dropped: its next reader asks again. */
  readonly maxQueued: number;
  /** People are waiting for renders: background work holds back. */
  readonly busy?: () => boolean;
}

export interface BackgroundStats {
  readonly running: number;
  readonly queued: number;
  readonly done: number;
  readonly failed: number;
  readonly dropped: number;
}

/** Work that no request waits for: refreshes and warming. Capped, queued, once per key, and behind requests in the queue. */
export class Background {
  readonly #options: BackgroundOptions;
  readonly #queue = new Map<CacheKey, () => Promise<void>>();
  readonly #running = new Set<CacheKey>();
  #idle: (() => void)[] = [];
  #done = 0;
  #failed = 0;
  #dropped = 0;
  #closed = false;

  constructor(options: BackgroundOptions) {
    this.#options = options;
  }

  /** False: already on its way, or no room in the queue. */
  add(key: CacheKey, work: () => Promise<void>): boolean {
    if (this.#closed || this.#queue.has(key) || this.#running.has(key)) return false;
    if (this.#queue.size >= this.#options.maxQueued) {
      this.#dropped++;
      return false;
    }
    this.#queue.set(key, work);
    this.pump();
    return true;
  }

  /** To be called when people stop waiting: what was held back may go on. */
  pump(): void {
    while (this.#running.size < this.#options.maxRunning && this.#options.busy?.() !== true) {
      const next = this.#queue.entries().next();
      if (next.done === true) break;
      const [key, work] = next.value;
      this.#queue.delete(key);
      void this.#run(key, work);
    }
    if (this.#running.size === 0 && this.#queue.size === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.pump();
    });
  }

  /** Drops what waits; what runs comes to its end. */
  close(): void {
    this.#closed = true;
    this.#queue.clear();
    this.pump();
  }

  stats(): BackgroundStats {
    return {
      running: this.#running.size,
      queued: this.#queue.size,
      done: this.#done,
      failed: this.#failed,
      dropped: this.#dropped,
    };
  }

  async #run(key: CacheKey, work: () => Promise<void>): Promise<void> {
    this.#running.add(key);
    try {
      await work();
      this.#done++;
    } catch {
      // The caller has counted and logged it; here it only must not stop the queue.
      this.#failed++;
    } finally {
      this.#running.delete(key);
      this.pump();
    }
  }
}
