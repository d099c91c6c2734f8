// A rule looks at what was counted and says what would help, with the figures that made it say so. Rules know nothing
// of each other and nothing of the report that prints them.
import type { Milliseconds } from '../../core/units.ts';
import type { Counts } from '../counts.ts';
import type { History } from '../history.ts';
import type { Column } from '../host-row.ts';
import type { HostSnapshot } from '../snapshot.ts';

export type Priority = 'high' | 'medium' | 'low';

export interface Recommendation {
  /** The rule that speaks. Stable. */
  readonly rule: string;
  readonly priority: Priority;
  /** What it speaks of: a route, a component, a statement, or a setting. */
  readonly about: string;
  readonly title: string;
  /** What was seen, in one sentence with figures. */
  readonly evidence: string;
  readonly figures: Readonly<Record<string, number | string>>;
  /** What to do. */
  readonly advice: string;
  /** What it would change, as far as the figures tell. */
  readonly effect: string;
}

export interface Facts {
  readonly box: HostSnapshot;
  /** Since `spanMs` ago, and not of all days. */
  readonly counts: Counts;
  readonly spanMs: Milliseconds;
  readonly history: History<Column>;
}

export type Rule = (facts: Facts) => readonly Recommendation[];

export interface RouteUse {
  readonly route: string;
  readonly requests: number;
  readonly hits: number;
  readonly renders: number;
  readonly renderMs: Milliseconds;
  readonly meanRenderMs: Milliseconds;
}

/** Requests, hits and renders of each page; what is no page is left out. */
export function routes({ http, pages }: Counts): RouteUse[] {
  const uses = new Map<string, { requests: number; hits: number }>();
  for (const { route, result, requests } of http.cache) {
    const use = uses.get(route) ?? { requests: 0, hits: 0 };
    uses.set(route, use);
    use.requests += requests;
    if (result === 'hit' || result === 'stale') use.hits += requests;
  }
  return [...uses].map(([route, use]) => {
    const { count = 0, sumMs = 0 } = pages.find((page) => page.route === route)?.durations ?? {};
    return { route, ...use, renders: count, renderMs: sumMs, meanRenderMs: count === 0 ? 0 : sumMs / count };
  });
}

export function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1000) / 10;
}

/** `0.4 ms`, `12 ms`, `1.5 s`, `3 min`, `2.5 h` */
export function time(ms: Milliseconds): string {
  if (ms < 1000) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 360_000) / 10} h`;
}

/** The share of one CPU that so much work in the time looked at is. */
export function ofOneCpu(ms: Milliseconds, { spanMs }: Facts): string {
  return `${percent(ms, spanMs)} % of one CPU`;
}

export function size(bytes: number): string {
  if (Math.abs(bytes) < 1024 * 1024) return `${Math.round(bytes / 1024)} KiB`;
  return `${Math.round((bytes / 1024 / 1024) * 10) / 10} MiB`;
}

/** The most urgent of a kind: a list of fifty says nothing. */
export function worst<T>(found: readonly T[], by: (item: T) => number, limit = 5): T[] {
  return [...found].sort((a, b) => by(b) - by(a)).slice(0, limit);
}
