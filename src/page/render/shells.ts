// What of a page can be sent before its data is there: <head> and the layout down to where the page's own content
// begins. A render announces it; every request that waits for that render, whichever began it, is told. While another process
// renders the page, the shell is made here when the first visitor wants it.
import type { CacheKey } from '../../cache/contract.ts';

export interface Shell {
  /** The finished page begins with exactly these bytes, if it comes to be. */
  readonly before: Buffer;
  readonly after: Buffer;
  readonly contentSecurityPolicy: string;
  readonly vary: readonly string[];
  /** Who brings one of these cookies is shown holes in it otherwise than they are here. */
  readonly cookies: readonly string[];
}

export type ShellListener = (shell: Shell) => void;

export class Shells {
  /** Of renders that go on. */
  readonly #known = new Map<CacheKey, Shell>();
  readonly #waiting = new Map<CacheKey, Set<ShellListener>>();
  /** Of renders of other processes: how to have the shell announced here. */
  readonly #offers = new Map<CacheKey, () => void>();

  /** Calls `tell` at most once, perhaps before it returns. Call what it gives when the wait is over. */
  wait(key: CacheKey, tell: ShellListener): () => void {
    const known = this.#known.get(key);
    if (known !== undefined) {
      tell(known);
      return () => {};
    }
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(tell));
    this.#takeOffer(key);
    return () => {
      waiting.delete(tell);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    };
  }

  announce(key: CacheKey, shell: Shell): void {
    this.#known.set(key, shell);
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    for (const tell of waiting ?? []) tell(shell);
  }

  /** `make` is called once, as soon as a visitor waits for this shell. */
  offer(key: CacheKey, make: () => void): void {
    this.#offers.set(key, make);
    if (this.#waiting.has(key)) this.#takeOffer(key);
  }

  /** The render is over. */
  forget(key: CacheKey): void {
    this.#known.delete(key);
    this.#offers.delete(key);
  }

  #takeOffer(key: CacheKey): void {
    const make = this.#offers.get(key);
    this.#offers.delete(key);
    make?.();
  }
}
