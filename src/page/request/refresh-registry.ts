import type { CacheKey } from '../../cache/contract.ts';
import type { PageRoute } from '../application/application.ts';
import type { Inputs } from '../application/inputs.ts';

/** What a page is rendered from. */
export interface Refreshable {
  readonly route: PageRoute;
  readonly inputs: Inputs;
}

const MAX_REFRESHABLES = 10_000;

/**
 * How pages that were asked for lately are made, so that one can be made again when nobody asks. A cache key cannot be
 * read back: long ones are hashed. Bounded; hot pages stay, because each end of their freshness brings them here again.
 */
export class RefreshRegistry {
  readonly #max: number;
  readonly #refreshables = new Map<CacheKey, Refreshable>();

  constructor(max = MAX_REFRESHABLES) {
    this.#max = max;
  }

  remember(key: CacheKey, refreshable: Refreshable): void {
    this.#refreshables.delete(key);
    this.#refreshables.set(key, refreshable);
    if (this.#refreshables.size <= this.#max) return;
    const [oldest] = this.#refreshables.keys();
    if (oldest !== undefined) this.#refreshables.delete(oldest);
  }

  recall(key: CacheKey): Refreshable | undefined {
    return this.#refreshables.get(key);
  }

  get size(): number {
    return this.#refreshables.size;
  }
}
