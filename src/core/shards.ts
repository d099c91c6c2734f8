import { hashOf } from './hash.ts';

const SHARDS = 64;

/**
 * One table in many, by a hash of its string keys. V8 builds a Map or Set anew, in one step, when it grows or shrinks by
 * a factor of two: with a million keys that takes 50 to 100 ms, in which no request is answered. Each of these holds a
 * sixty-fourth, and takes its millisecond at a moment of its own.
 */
export class Shards<T> {
  readonly #make: () => T;
  /** Made when they are first wanted: most tables stay small. */
  readonly #tables: (T | undefined)[] = Array.from({ length: SHARDS });

  constructor(make: () => T) {
    this.#make = make;
  }

  /** The one in which `key` belongs. */
  of(key: string): T {
    // The top bits, of 32.
    const shard = hashOf(key) >>> 26;
    this.#tables[shard] ??= this.#make();
    return this.#tables[shard];
  }

  *[Symbol.iterator](): Generator<T> {
    for (const table of this.#tables) if (table !== undefined) yield table;
  }
}
