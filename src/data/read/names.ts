import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';

/** So many plans may pile up in one connection before it is replaced. */
export const MAX_NAMES = 500;

/**
 * How long a plan is used at most. A plan keeps the types that its parameters had, and a change of a table is not always told
 * (no feed, a feed that is away): a statement could go on to read other values than it is given for as long as its connection lives.
 */
export const PLAN_LIFE_MS: Milliseconds = 30_000;

/**
 * Names for prepared statements. A name stands for a text in a generation: with the next generation, which a change of the
 * schema begins, every connection plans the text anew. A name is a hash, not a counter: should a pooler be taken for the
 * server itself, equal names for two texts would run the wrong one without an error.
 */
export class StatementNames {
  readonly #clock: Clock;
  readonly #names = new Map<string, string>();
  #generation = 0;
  #renewedAtMs: Milliseconds;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#renewedAtMs = clock.monotonic();
  }

  nameOf(sql: string, nowMs: Milliseconds): string {
    if (nowMs - this.#renewedAtMs >= PLAN_LIFE_MS) this.renewAll();
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    if (this.#names.size >= MAX_NAMES) {
      for (const oldest of this.#names.keys()) {
        this.#names.delete(oldest);
        break;
      }
    }
    const name = `c${this.#generation}_${hash(sql)}`;
    this.#names.set(sql, name);
    return name;
  }

  /** The schema has changed, or may have: every text is planned anew. */
  renewAll(): void {
    this.#generation++;
    this.#renewedAtMs = this.#clock.monotonic();
    this.#names.clear();
  }

  /** A new name for a text whose plan has failed. */
  renew(sql: string, stale: string, nowMs: Milliseconds): string {
    const current = this.nameOf(sql, nowMs);
    // Another connection met the same stale plan a moment ago: its new name will do.
    if (current !== stale) return current;
    this.#names.delete(sql);
    this.#generation++;
    return this.nameOf(sql, nowMs);
  }
}

function hash(sql: string): string {
  return createHash('sha256').update(sql).digest('base64url').slice(0, 22);
}
