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
  readonly #untracked: string[] = [];
  readonly #running = new Set<() => string>();
  readonly #failed: FailedRead[] = [];

  add(key: DependencyKey): void {
    this.#keys.add(key);
  }

  untracked(why: string): void {
    this.#untracked.push(why);
  }

  reading(what: () => string): (error?: unknown) => void {
    // Of its own, so that two reads of one kind are two.
    const read = () => what();
    this.#running.add(read);
    return (error) => {
      this.#running.delete(read);
      if (error !== undefined) this.#failed.push({ what: what(), error });
    };
  }

  /** Nothing waits for reads any more: those that still run count as failed, whatever they come to. */
  settle(): void {
    for (const what of this.#running) this.#failed.push({ what: what(), error: undefined });
    this.#running.clear();
  }

  get failed(): readonly FailedRead[] {
    return this.#failed;
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
