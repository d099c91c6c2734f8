/**
 * How far a worker has to go to stay up.
 * - `none`: every page is rendered for each request
 * - `stale`: what can be answered with an older page is, and nothing is rendered that no request waits for
 * - `shed`: beside that new renders are refused that would have to wait
 */
export type OverloadLevel = 'none' | 'stale' | 'shed';

const ORDER: readonly OverloadLevel[] = ['none', 'stale', 'shed'];

export function worse(one: OverloadLevel, other: OverloadLevel): OverloadLevel {
  return ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other;
}
