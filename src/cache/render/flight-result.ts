import type { Outcome, TierName } from '../contract.ts';
import type { Cached } from '../entry.ts';

/** What a flight brings to those aboard. */
export interface FlightResult<V extends Cached> extends Omit<Outcome<V>, 'collapsed'> {
  /** The value is known to have been current when this worker's purge clock showed this version. */
  readonly currentAt: number;
  /** Another process rendered it while this one waited. */
  readonly followed?: boolean;
}

export function landing<V extends Cached>(
  value: V,
  result: Outcome<V>['result'],
  tier: TierName | undefined,
) {
  return { value, result, tier, stored: false, error: undefined };
}

/** What a shared tier has after a wait for another process is what that one rendered: no hit of those who waited. */
export function followed<V extends Cached>(flightResult: FlightResult<V>): FlightResult<V> {
  if (flightResult.result !== 'hit') return flightResult;
  return { ...flightResult, result: 'miss', tier: undefined, stored: true, followed: true };
}
