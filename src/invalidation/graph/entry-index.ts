import { Shards } from '../../core/shards.ts';
import type { DependencyKey } from '../../core/units.ts';

/** Names an entry: its cache key. */
export type EntryId = string;

/** The entries made from one key. */
type Members = Set<EntryId> | SplitSet;

/** With so many, a set that is built anew stops everybody for milliseconds. */
const SPLIT_AT = 16_384;

/**
 * From dependency keys to the entries of one cache's memory that were made from them. It holds what the memory holds, no
 * more: each edge goes with its entry, so its size is bounded by the memory's. What an entry was made from stands in the
 * entry itself, and is handed in again when it leaves.
 */
export class EntryIndex {
  /** Most keys belong to one entry: no set is made for those. */
  readonly #entriesOf = new Shards(() => new Map<DependencyKey, EntryId | Members>());
  /** Made from nothing: only a new epoch ends them. */
  readonly #keyless = new Set<EntryId>();
  readonly #splitAt: number;
  #size = 0;
  #edges = 0;

  /** `splitAt`: entries made from one key from which on they lie in many sets. */
  constructor(splitAt = SPLIT_AT) {
    this.#splitAt = splitAt;
  }

  /** `keys` without repeats. The entry must not be in here. */
  enter(id: EntryId, keys: readonly DependencyKey[]): void {
    this.#size++;
    this.#edges += keys.length;
    if (keys.length === 0) this.#keyless.add(id);
    for (const key of keys) {
      const table = this.#entriesOf.of(key);
      const held = table.get(key);
      if (held === undefined) table.set(key, id);
      else if (typeof held === 'string') table.set(key, new Set([held, id]));
      else {
        held.add(id);
        // A walk of the set goes on in the set as it was: nothing enters or leaves it any more.
        if (held instanceof Set && held.size === this.#splitAt) table.set(key, new SplitSet(held));
      }
    }
  }

  /** It must be in here, with these keys. */
  leave(id: EntryId, keys: readonly DependencyKey[]): void {
    this.#size--;
    this.#edges -= keys.length;
    if (keys.length === 0) this.#keyless.delete(id);
    for (const key of keys) {
      const entriesOf = this.#entriesOf.of(key);
      const held = entriesOf.get(key);
      if (typeof held === 'string') entriesOf.delete(key);
      else if (held !== undefined) {
        held.delete(id);
        if (held.size === 0) entriesOf.delete(key);
      }
    }
  }

  /** May be walked while entries come and go. */
  entriesOf(key: DependencyKey): Iterable<EntryId> {
    const held = this.#entriesOf.of(key).get(key);
    if (held === undefined) return [];
    return typeof held === 'string' ? [held] : held;
  }

  count(key: DependencyKey): number {
    const held = this.#entriesOf.of(key).get(key);
    if (held === undefined) return 0;
    return typeof held === 'string' ? 1 : held.size;
  }

  /** All entries, each once for every key of it; may be walked while they come and go. */
  *entries(): Generator<EntryId> {
    yield* this.#keyless;
    for (const table of this.#entriesOf) {
      for (const held of table.values()) {
        if (typeof held === 'string') yield held;
        else yield* held;
      }
    }
  }

  *keys(): Generator<DependencyKey> {
    for (const table of this.#entriesOf) yield* table.keys();
  }

  get size(): number {
    return this.#size;
  }

  get edges(): number {
    return this.#edges;
  }
}

class SplitSet {
  readonly #sets = new Shards(() => new Set<EntryId>());
  #size = 0;

  constructor(ids: Iterable<EntryId>) {
    for (const id of ids) this.add(id);
  }

  get size(): number {
    return this.#size;
  }

  add(id: EntryId): void {
    const set = this.#sets.of(id);
    this.#size -= set.size;
    this.#size += set.add(id).size;
  }

  delete(id: EntryId): void {
    if (this.#sets.of(id).delete(id)) this.#size--;
  }

  *[Symbol.iterator](): Generator<EntryId> {
    for (const set of this.#sets) yield* set;
  }
}
