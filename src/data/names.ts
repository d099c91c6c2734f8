import { createHash } from 'node:crypto';

/** So many texts are remembered, and so many plans may pile up in one connection before it is replaced. */
export const MAX_NAMES = 500;

/**
 * Names for prepared statements, one per distinct text. A name is a hash of its text, not a counter: behind a
 * pooler two workers may share one server connection, and the same name for two texts would run the wrong one.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  #generation = 0;

  nameOf(sql: string): string {
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    return this.#remember(sql, hash(sql));
  }

  /** A new name for a text whose plan has gone stale, so that every connection plans it afresh. */
  renew(sql: string, stale: string): string {
    const current = this.nameOf(sql);
    // Another connection met the same stale plan a moment ago: its new name will do.
    if (current !== stale) return current;
    this.#generation += 1;
    return this.#remember(sql, `${hash(sql)}_${this.#generation}`);
  }

  #remember(sql: string, name: string): string {
    this.#names.delete(sql);
    this.#names.set(sql, name);
    if (this.#names.size > MAX_NAMES) {
      for (const oldest of this.#names.keys()) {
        this.#names.delete(oldest);
        break;
      }
    }
    return name;
  }
}

function hash(sql: string): string {
  return `c_${createHash('sha256').update(sql).digest('base64url').slice(0, 22)}`;
}
