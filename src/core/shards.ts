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
    const shard = shardOf(key);
    this.#tables[shard] ??= this.#make();
    return this.#tables[shard];
  }

  *[Symbol.iterator](): Generator<T> {
    for (const table of this.#tables) if (table !== undefined) yield table;
  }
}

/** All characters count: keys may differ in one digit, anywhere. The product brings what they differ in to the top. */
function shardOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  return Math.imul(hash, 0x9e3779b1) >>> 26;
}
