import { Shards } from '../core/shards.ts';
import { type Member, Queue } from './queue.ts';
import type { CacheKey } from './stack-contract.ts';

/** Up to here one table will do: it is built anew in less than 10 ms. To hash a key takes longer than to look it up. */
const FEW = 131_072;

/** Entries by key, in the order in which they were wanted. No step of it takes longer because there are more. */
export class Recency<E extends Member<E> & { readonly key: CacheKey }> {
  readonly #limit: number;
  readonly #few = new Map<CacheKey, E>();
  /** Those that came while `#few` was full. */
  readonly #more = new Shards(() => new Map<CacheKey, E>());
  readonly #queue = new Queue<E>();
  #size = 0;

  /** `limit`: of `#few`. */
  constructor(limit = FEW) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get oldest(): E | undefined {
    return this.#queue.oldest;
  }

  /** It is the newest from now on. */
  get(key: CacheKey): E | undefined {
    const entry = this.peek(key);
    if (entry === undefined || entry === this.#queue.newest) return entry;
    this.#queue.remove(entry);
    this.#queue.append(entry);
    return entry;
  }

  /** As `get`, and it stays where it stands. */
  peek(key: CacheKey): E | undefined {
    // Where most of them lie is looked first.
    if (this.#size > 2 * this.#limit) return this.#more.of(key).get(key) ?? this.#few.get(key);
    return this.#few.get(key) ?? (this.#size > this.#few.size ? this.#more.of(key).get(key) : undefined);
  }

  /** None of its key may be in here. */
  add(entry: E): void {
    const table = this.#few.size < this.#limit ? this.#few : this.#more.of(entry.key);
    table.set(entry.key, entry);
    this.#queue.append(entry);
    this.#size++;
  }

  /** It must be in here. */
  remove(entry: E): void {
    if (!this.#few.delete(entry.key)) this.#more.of(entry.key).delete(entry.key);
    this.#queue.remove(entry);
    this.#size--;
  }

  *newestFirst(): Generator<E> {
    for (let entry = this.#queue.newest; entry !== undefined; entry = entry.older) yield entry;
  }
}
