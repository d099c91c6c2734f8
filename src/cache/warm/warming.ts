// Warming: after a start the pages that people will ask for first are made before the worker says ready. Their keys are
// what the application lists and what the last run remembered; how to render a key only the caller knows.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';

export interface WarmingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** What is to be warmed, most wanted first; whatever names it (an address, say). */
  readonly targets: readonly string[];
  /** Makes one. A failure is counted and does not stop the rest. */
  readonly warm: (target: string, signal: AbortSignal) => Promise<void>;
  readonly concurrency: number;
  /** After this nothing more is begun, and what runs is aborted. */
  readonly budgetMs: Milliseconds;
}

export interface Warmed {
  readonly done: number;
  readonly failed: number;
  /** There was no time for these. */
  readonly left: number;
  readonly tookMs: Milliseconds;
}

const PROGRESS_STEPS = 4;

/** Resolves when all is warm or the time is over; never rejects. */
export async function warm({
  clock,
  log,
  targets,
  warm,
  concurrency,
  budgetMs,
}: WarmingOptions): Promise<Warmed> {
  const beganAtMs = clock.monotonic();
  const waiting = [...new Set(targets)];
  const total = waiting.length;
  const over = new AbortController();
  const timer = clock.after(budgetMs, () => over.abort(new Error('the time for warming is over')));
  const ended = new Promise<void>((resolve) =>
    over.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  let done = 0;
  let failed = 0;
  const lane = async (): Promise<void> => {
    for (
      let target = waiting.shift();
      target !== undefined && !over.signal.aborted;
      target = waiting.shift()
    ) {
      try {
        await Promise.race([warm(target, over.signal), ended]);
        if (over.signal.aborted) return;
        done++;
      } catch (error) {
        failed++;
        log.debug({ target, err: error }, 'warming: a page could not be made');
      }
      if ((done + failed) % Math.ceil(total / PROGRESS_STEPS) === 0)
        log.info({ done, failed, total }, 'warming');
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, total) }, lane));
  timer.cancel();
  const warmed = { done, failed, left: total - done - failed, tookMs: clock.monotonic() - beganAtMs };
  if (total > 0) log.info({ ...warmed }, 'warming is over');
  return warmed;
}
