// The Cache-Status header (RFC 9211): what this cache did for this one answer.

import type { Outcome, TierName } from '../../cache/contract.ts';
import type { PageEntry } from '../../cache/entry.ts';
import { OverloadedError } from '../../cache/errors.ts';
import type { EpochMs } from '../../core/units.ts';

const DETAIL: Record<TierName, string> = { static: 'STATIC', l1: 'L1', l2: 'L2', l3: 'L3' };

/** `coherent; hit; ttl=42; detail=L1`. Changes once a second and with the tier, with nothing else. */
export function hitStatus(tier: TierName, freshUntilMs: EpochMs, nowMs: EpochMs): string {
  return `coherent; hit; ttl=${ttlSeconds(freshUntilMs, nowMs)}; detail=${DETAIL[tier]}`;
}

/** Of a page that no cache may have a part in. */
export const PERSONAL_STATUS = 'coherent; fwd=bypass; detail=PERSONAL';

/** The value for any outcome: a hit, a stale answer (negative ttl), a render, a render shared with others. */
export function cacheStatus(outcome: Outcome<PageEntry>, nowMs: EpochMs): string {
  const { value, result, tier } = outcome;
  const standIn = value.incomplete === true;
  if (result === 'hit' && tier !== undefined)
    return `${hitStatus(tier, value.freshUntilMs, nowMs)}${standIn ? '-STAND-IN' : ''}`;
  if (result === 'stale') {
    const why = whyStale(outcome.error);
    const from = tier === undefined ? '' : `${DETAIL[tier]}-`;
    return `coherent; hit; ttl=${ttlSeconds(value.freshUntilMs, nowMs)}; detail=${from}${why}`;
  }
  return `coherent; fwd=uri-miss${outcome.stored ? '; stored' : ''}${outcome.collapsed ? '; collapsed' : ''}${standIn ? '; detail=STAND-IN' : ''}`;
}

function whyStale(error: unknown): string {
  if (error === undefined) return 'STALE';
  return error instanceof OverloadedError ? 'STALE-IF-OVERLOADED' : 'STALE-IF-ERROR';
}

/** Rounded down, so that an answer past its time is never said to have 0 seconds left. */
function ttlSeconds(freshUntilMs: EpochMs, nowMs: EpochMs): number {
  return Math.floor((freshUntilMs - nowMs) / 1000);
}
