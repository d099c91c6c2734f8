import type { CacheKey } from '../../cache/contract.ts';
import type { PageRoute } from '../application/application.ts';
import type { Inputs } from '../application/inputs.ts';

/** What a page is rendered from. */
export interface Recipe {
  readonly route: PageRoute;
  readonly inputs: Inputs;
}

const MAX_RECIPES = 10_000;

/**
 * How pages that were asked for lately are made, so that one can be made again when nobody asks. A cache key cannot be
 * read back: long ones are hashed. Bounded; hot pages stay, because each end of their freshness brings them here again.
 */
export class Recipes {
  readonly #max: number;
  readonly #recipes = new Map<CacheKey, Recipe>();

  constructor(max = MAX_RECIPES) {
    this.#max = max;
  }

  remember(key: CacheKey, recipe: Recipe): void {
    this.#recipes.delete(key);
    this.#recipes.set(key, recipe);
    if (this.#recipes.size <= this.#max) return;
    const [oldest] = this.#recipes.keys();
    if (oldest !== undefined) this.#recipes.delete(oldest);
  }

  recall(key: CacheKey): Recipe | undefined {
    return this.#recipes.get(key);
  }

  get size(): number {
    return this.#recipes.size;
  }
}
