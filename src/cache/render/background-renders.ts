// Renders that no request waits for: a stale entry is made again, a purged one before the next reader comes.
import type { Logger } from '../../core/log.ts';
import type { Cached } from '../entry.ts';
import type { MemoryTier } from '../memory/memory.ts';
import type { Background } from './background.ts';
import type { Failures } from './failures.ts';
import type { Job, Renders } from './renders.ts';

export interface BackgroundRendersOptions<V extends Cached> {
  readonly log: Logger;
  readonly background: Background;
  readonly memory: MemoryTier<V>;
  readonly failures: Failures;
  readonly renders: Renders<V>;
}

export class BackgroundRenders<V extends Cached> {
  readonly #options: BackgroundRendersOptions<V>;
  #closed = false;

  constructor(options: BackgroundRendersOptions<V>) {
    this.#options = options;
  }

  /** After a failure the stale entry stands in for a while, before it is tried again. */
  refresh(job: Job<V>): void {
    if (this.#options.failures.get(job.key) === undefined) this.add(job, 'refresh');
  }

  /** False: already on its way, or the queue is full. */
  add(job: Job<V>, reason: 'refresh' | 'warm'): boolean {
    return this.#options.background.add(job.key, () => this.#run(job, reason));
  }

  close(): void {
    this.#closed = true;
  }

  async #run(job: Job<V>, reason: 'refresh' | 'warm'): Promise<void> {
    const { renders, memory, failures, log } = this.#options;
    const { key } = job;
    // What flies at the moment may bring no more than the stale entry of a shared tier.
    await renders.current(key)?.flightResult.catch(() => {});
    if (this.#closed || memory.get(key)?.use === 'fresh' || failures.get(key)) return;
    const flight = renders.current(key) ?? renders.launch(job, reason);
    flight.detach();
    const { error } = await flight.flightResult;
    if (error === undefined) return;
    const { group } = job.options;
    log.warn({ err: error, group }, 'a background render failed; the stale entry stays');
    throw error;
  }
}
