// What becomes of every statement besides its result: a span where traces are recorded, its time and rows in the figures, a word in the
// log where it was slow, and an error of ours in the place of the driver's.
import type { Clock } from '../../core/clock.ts';
import { CoherentError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Tracing } from '../../core/trace.ts';
import type { Milliseconds } from '../../core/units.ts';
import { excerpt } from '../errors.ts';
import type { Result } from '../observer.ts';
import { queryFailure } from '../pool/failures.ts';
import type { SlowQueries, SlowQuery } from './slow.ts';
import { spanOf } from './statement-span.ts';
import type { StatementUsage } from './statement-usage.ts';

interface AccountOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly trace: Tracing;
  readonly usage: StatementUsage;
  readonly slow: SlowQueries;
  readonly onSlowQuery: ((query: SlowQuery) => void) | undefined;
  readonly onStatementEnd: ((durationMs: Milliseconds, failed: boolean) => void) | undefined;
}

export class StatementAccount {
  readonly #options: AccountOptions;

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  /** A statement has to run inside of `timed`, because it is traced. */
  get isTraced(): boolean {
    return this.#options.trace.isOn;
  }

  /** How long it has waited for its connection. */
  connected(waitedMs: Milliseconds): void {
    this.#options.usage.connected(waitedMs);
  }

  /** `startedMs`: where it had begun before. Errors: ours, made of the driver's. */
  timed<R extends object>(
    sql: string,
    run: () => Promise<Result<R>>,
    startedMs = this.#options.clock.monotonic(),
  ): Promise<Result<R>> {
    const { trace } = this.#options;
    if (!trace.isOn) return this.#counted(sql, run, startedMs);
    return spanOf(trace, sql, () => this.#counted(sql, run, startedMs));
  }

  async #counted<R extends object>(
    sql: string,
    run: () => Promise<Result<R>>,
    startedMs: Milliseconds,
  ): Promise<Result<R>> {
    try {
      const result = await run();
      // Several statements in one text, as in schema.sql, have a list of results.
      this.ended(sql, startedMs, false, Array.isArray(result) ? 0 : result.rows.length);
      return result;
    } catch (error) {
      this.ended(sql, startedMs, true, 0);
      throw error instanceof CoherentError ? error : queryFailure(sql, error);
    }
  }

  ended(sql: string, startedMs: Milliseconds, failed: boolean, rows: number): void {
    const { clock, usage, slow, logger, onSlowQuery, onStatementEnd } = this.#options;
    const durationMs = clock.monotonic() - startedMs;
    onStatementEnd?.(durationMs, failed);
    const isSlow = durationMs > slow.thresholdMs;
    usage.ended(sql, { durationMs, failed, rows, slow: isSlow });
    const query = isSlow ? slow.record(sql, durationMs, clock.now()) : undefined;
    if (query === undefined) return;
    logger.warn({ durationMs: Math.round(durationMs), text: excerpt(sql) }, 'slow query');
    onSlowQuery?.(query);
  }
}
