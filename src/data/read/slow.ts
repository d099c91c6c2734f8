import type { EpochMs, Milliseconds } from '../../core/units.ts';
import { excerpt } from '../errors.ts';

export interface SlowQuery {
  /** At most 200 characters of the statement; never its parameters. */
  readonly text: string;
  readonly durationMs: Milliseconds;
  readonly atMs: EpochMs;
}

/** The last slow queries, newest first. */
export class SlowQueries {
  readonly thresholdMs: Milliseconds;
  readonly #keep: number;
  readonly #queries: SlowQuery[] = [];
  #count = 0;

  constructor(thresholdMs: Milliseconds, keep = 100) {
    this.thresholdMs = thresholdMs;
    this.#keep = keep;
  }

  /** How many there were in all. */
  get count(): number {
    return this.#count;
  }

  record(sql: string, durationMs: Milliseconds, atMs: EpochMs): SlowQuery | undefined {
    if (durationMs <= this.thresholdMs) return undefined;
    const query = { text: excerpt(sql), durationMs, atMs };
    this.#count += 1;
    this.#queries.unshift(query);
    if (this.#queries.length > this.#keep) this.#queries.pop();
    return query;
  }

  list(): readonly SlowQuery[] {
    return [...this.#queries];
  }
}
