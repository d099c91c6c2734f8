import type { DependencyKey } from '../core/units.ts';

/** Names an entry: its cache key. */
export type EntryId = string;

/**
 * From dependency keys to the entries of one tier that were made from them. It holds what the tier holds, no more: each
 * edge goes with its entry, so its size is bounded by the tier's.
 */
export class EntryIndex {
  readonly #keysOf = new Map<EntryId, readonly DependencyKey[]>();
  /** Most keys belong to one entry: no set is made for those. */
  readonly #entriesOf = new Map<DependencyKey, EntryId | Set<EntryId>>();
  #edges = 0;

  /** `keys` without repeats. Replaces what was known of the entry. */
  enter(id: EntryId, keys: readonly DependencyKey[]): void {
    this.leave(id);
    this.#keysOf.set(id, keys);
    this.#edges += keys.length;
    for (const key of keys) {
      const held = this.#entriesOf.get(key);
      if (held === undefined) this.#entriesOf.set(key, id);
      else if (typeof held === 'string') this.#entriesOf.set(key, new Set([held, id]));
      else held.add(id);
    }
  }

  leave(id: EntryId): void {
    const keys = this.#keysOf.get(id);
    if (keys === undefined) return;
    this.#keysOf.delete(id);
    this.#edges -= keys.length;
    for (const key of keys) {
      const held = this.#entriesOf.get(key);
      if (typeof held === 'string') this.#entriesOf.delete(key);
      else if (held !== undefined) {
        held.delete(id);
        if (held.size === 0) this.#entriesOf.delete(key);
      }
    }
  }

  keysOf(id: EntryId): readonly DependencyKey[] | undefined {
    return this.#keysOf.get(id);
  }

  /** May be walked while entries come and go. */
  entriesOf(key: DependencyKey): Iterable<EntryId> {
    const held = this.#entriesOf.get(key);
    if (held === undefined) return [];
    return typeof held === 'string' ? [held] : held;
  }

  count(key: DependencyKey): number {
    const held = this.#entriesOf.get(key);
    if (held === undefined) return 0;
    return typeof held === 'string' ? 1 : held.size;
  }

  /** All entries; may be walked while they come and go. */
  entries(): Iterable<EntryId> {
    return this.#keysOf.keys();
  }

  keys(): Iterable<DependencyKey> {
    return this.#entriesOf.keys();
  }

  get size(): number {
    return this.#keysOf.size;
  }

  get edges(): number {
    return this.#edges;
  }
}
