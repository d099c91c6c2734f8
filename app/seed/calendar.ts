// When things happened in the sample: a community that grows from its first day to its last.

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2022, 2, 1);
/** The sample's "today": nothing in it is later. */
export const LAST_DAY = Date.UTC(2026, 10, 16);

const MONTHS = 'January,February,March,April,May,June,July,August,September,October,November,December'.split(
  ',',
);

export function monthOf(moment: number): string {
  return MONTHS[new Date(moment).getUTCMonth()] ?? '';
}

/** How far the growth curve is bent: 1 is steady, below 1 the later days are the busier ones. */
const JOINING = 0.85;
const POSTING = 0.7;

/** When the nth of `count` people joined. Rises with n. */
export function joinedAt(n: number, count: number): number {
  return awake(FIRST_DAY + (LAST_DAY - FIRST_DAY) * ((n - 1) / count) ** JOINING);
}

/** How many of `count` people had joined by then; at least one. */
export function joinedBy(moment: number, count: number): number {
  const passed = (moment - DAY_MS - FIRST_DAY) / (LAST_DAY - FIRST_DAY);
  return Math.max(1, Math.floor(count * Math.max(0, passed) ** (1 / JOINING)));
}

/** When the nth of `count` posts was written. Rises with n, and begins a day after the first person came. */
export function postedAt(n: number, count: number): number {
  const start = FIRST_DAY + DAY_MS;
  return awake(start + (LAST_DAY - start) * ((n - 0.5) / count) ** POSTING);
}

/** Squeezes a day into the hours between six and eleven in the evening; what was earlier stays earlier. */
export function awake(moment: number): number {
  const midnight = Math.floor(moment / DAY_MS) * DAY_MS;
  return Math.floor(midnight + DAY_MS * (6 / 24 + ((moment - midnight) / DAY_MS) * (17 / 24)));
}
