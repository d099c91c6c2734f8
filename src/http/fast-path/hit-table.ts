// The raw request targets that the fast path knows, bounded in bytes by two generations: what is asked for lies in
// the young one; when that is half of the bound, it becomes the old one and the old one is dropped whole. Compared
// with an LRU a look-up writes nothing, and a flood of targets that are never asked for again costs no sorting.
import type { Bytes } from '../../core/units.ts';

export interface Weighed {
  /** May grow while it lies in the table; say so with `grew`. */
  readonly bytes: Bytes;
}

export class HitTable<T extends Weighed> {
  readonly #halfBytes: Bytes;
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #youngBytes: Bytes = 0;

  constructor(maxBytes: Bytes) {
    this.#halfBytes = maxBytes / 2;
  }

  get(target: string): T | undefined {
    const young = this.#young.get(target);
    if (young !== undefined) return young;
    const old = this.#old.get(target);
    if (old === undefined) return undefined;
    this.#old.delete(target);
    this.set(target, old);
    return old;
  }

  set(target: string, item: T): void {
    const before = this.#young.get(target);
    this.#young.set(target, item);
    this.grew(item.bytes - (before?.bytes ?? 0));
  }

  /** An item of the young generation (where `get` and `set` put it) weighs more than before. */
  grew(bytes: Bytes): void {
    this.#youngBytes += bytes;
    if (this.#youngBytes <= this.#halfBytes) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  delete(target: string): void {
    const young = this.#young.get(target);
    if (young !== undefined) this.#youngBytes -= young.bytes;
    this.#young.delete(target);
    this.#old.delete(target);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
