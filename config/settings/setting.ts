import type { Kind } from '../kinds.ts';

export interface Setting<T> {
  /** The name in the environment. */
  readonly name: string;
  readonly kind: Kind<T>;
  /** As text, in the same form the environment would give it. Undefined: off until set. */
  readonly default?: string;
  /** One line for people. For `auto` it says what is chosen. */
  readonly help: string;
  /** Never printed; may be given as a file with `<NAME>_FILE`. */
  readonly secret?: true;
}

/** Optional settings read as `T | undefined`, those with a default as `T`. */
export function setting<T>(setting: Setting<T> & { readonly default: string }): Setting<T>;
export function setting<T>(setting: Setting<T>): Setting<T | undefined>;
export function setting<T>(setting: Setting<T>): Setting<T> {
  return setting;
}
