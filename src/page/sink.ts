import type { DependencyKey } from '../core/units.ts';
import type { KeySink } from '../core/validity.ts';

/** The dependency keys of one render, those of its fragments included. */
export class RenderKeys implements KeySink {
  readonly #keys = new Set<DependencyKey>();
  readonly #untracked: string[] = [];

  add(key: DependencyKey): void {
    this.#keys.add(key);
  }

  untracked(why: string): void {
    this.#untracked.push(why);
  }

  /** Sorted, without repeats. */
  get keys(): readonly DependencyKey[] {
    return Object.freeze([...this.#keys].sort());
  }

  /** What the render read that no purge will tell of. */
  get reasons(): readonly string[] {
    return this.#untracked;
  }
}
