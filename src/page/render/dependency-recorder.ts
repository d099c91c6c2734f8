import type { DependencyKey } from '../../core/units.ts';
import type { KeyRecorder } from '../../core/validity.ts';

export interface FailedRead {
  /** The statement or the address, abridged. */
  readonly what: string;
  /** Undefined: it was still running. */
  readonly error: unknown;
}

/** The dependency keys of one render, those of its fragments included, and which of its reads failed. */
export class RenderKeys implements KeyRecorder {
  readonly #keys = new Set<DependencyKey>();
  /** Of most renders there are none of these. */
  #untracked: string[] | undefined;
  #running: Set<() => string> | undefined;
  #failed: FailedRead[] | undefined;

  add(key: DependencyKey): void {
    this.#keys.add(key);
  }

  untracked(why: string): void {
    this.#untracked ??= [];
    this.#untracked.push(why);
  }

  reading(what: () => string): (error?: unknown) => void {
    // Of its own, so that two reads of one kind are two.
    const read = () => what();
    this.#running ??= new Set();
    this.#running.add(read);
    return (error) => {
      this.#running?.delete(read);
      if (error !== undefined) this.#fail({ what: what(), error });
    };
  }

  /** Nothing waits for reads any more: those that still run count as failed, whatever they come to. */
  settle(): void {
    for (const what of this.#running ?? []) this.#fail({ what: what(), error: undefined });
    this.#running?.clear();
  }

  get failed(): readonly FailedRead[] {
    return this.#failed ?? NONE;
  }

  /** Sorted, without repeats. */
  get keys(): readonly DependencyKey[] {
    return this.#keys.size === 0 ? NONE : Object.freeze([...this.#keys].sort());
  }

  /** What the render read that no purge will tell of. */
  get reasons(): readonly string[] {
    return this.#untracked ?? NONE;
  }

  #fail(read: FailedRead): void {
    this.#failed ??= [];
    this.#failed.push(read);
  }
}

const NONE: readonly never[] = Object.freeze([]);
