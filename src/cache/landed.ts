import type { Cached } from './entry.ts';
import type { Outcome, TierName } from './stack-contract.ts';

/** What a flight brings to those aboard. */
export interface Landed<V extends Cached> extends Omit<Outcome<V>, 'collapsed'> {
  /** The value is known to have been current when this worker's purge clock showed this version. */
  readonly currentAt: number;
}

export function landing<V extends Cached>(
  value: V,
  result: Outcome<V>['result'],
  tier: TierName | undefined,
) {
  return { value, result, tier, stored: false, error: undefined };
}
