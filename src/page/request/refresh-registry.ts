import type { CacheKey } from '../../cache/contract.ts';
import { RecentMap } from '../../core/recent-map.ts';
import type { PageRoute } from '../application/application.ts';
import type { Inputs } from '../application/inputs.ts';

/** What a page is rendered from. */
export interface Refreshable {
  readonly route: PageRoute;
  readonly inputs: Inputs;
}

/** Between half of these and all are known. */
const MAX_REFRESHABLES = 16_384;

/**
 * How pages that were asked for lately are made, so that one can be made again when no request asks. A cache key cannot be
 * read back: long ones are hashed. Bounded; hot pages stay, because each end of their freshness brings them here again.
 */
export class RefreshRegistry {
  readonly #refreshables = new RecentMap<Refreshable>(MAX_REFRESHABLES);

  remember(key: CacheKey, refreshable: Refreshable): void {
    this.#refreshables.set(key, refreshable);
  }

  recall(key: CacheKey): Refreshable | undefined {
    return this.#refreshables.get(key);
  }
}
