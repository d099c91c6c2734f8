/** What one stack counts. One object for all of its parts, so that an outcome is counted where it is decided. */
export type StackCounts = ReturnType<typeof zeroCounts>;

export const zeroCounts = () => ({
  hitsStatic: 0,
  hitsL1: 0,
  hitsL2: 0,
  hitsL3: 0,
  misses: 0,
  stale: 0,
  staleOnError: 0,
  staleOnSlow: 0,
  collapsed: 0,
  fills: 0,
  refreshes: 0,
  fillErrors: 0,
  fillTimeouts: 0,
  abandoned: 0,
  negativeHits: 0,
  overtaken: 0,
  rejectedStores: 0,
  followed: 0,
});
