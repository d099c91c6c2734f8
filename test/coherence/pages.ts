// The pages of the application, and what each of them tells of the database: for every row that it should show, how
// long the version it shows (or the absence it shows) has been out of date.
import type { Milliseconds } from '../../src/core/units.ts';
import { GROUPS, type History, ITEMS, type Row } from './history.ts';

/** What stands in the page: `i7=3` is item 7 in version 3, g a group, t the total. */
export interface Shown {
  readonly status: number;
  readonly items: ReadonlyMap<number, number>;
  readonly groups: ReadonlyMap<number, number>;
  readonly total: number | undefined;
}

export interface Finding {
  /** Rows that were looked at, shown or rightly missing. */
  rows: number;
  /** Of the row that is most out of date. */
  stalenessMs: Milliseconds;
  /** The row and version of that. */
  what: string;
}

export interface PageUnderTest {
  readonly path: string;
  /** Has chosen to be served after an error, however old, if the answer says so. */
  readonly prefersAvailability?: true;
  /** Throws `NonsenseError` where it shows what the database never held. */
  judge(shown: Shown, history: History, now: Milliseconds): Finding;
}

export class NonsenseError extends Error {}

export function readShown(status: number, html: string): Shown {
  const items = new Map<number, number>();
  const groups = new Map<number, number>();
  let total: number | undefined;
  for (const [, kind, id, version] of html.matchAll(/\b([igt])(\d+)=(\d+)\b/g)) {
    if (kind === 't') total = Number(version);
    else (kind === 'i' ? items : groups).set(Number(id), Number(version));
  }
  return { status, items, groups, total };
}

export const PAGES: readonly PageUnderTest[] = [
  ...['items', 'slow', 'kept', 'pinned'].flatMap((kind) =>
    upTo(kind === 'items' ? ITEMS : 12, (id) => itemPage(`/${kind}/${id}`, id)),
  ),
  ...upTo(GROUPS, (id) => groupPage(`/groups/${id}`, id, true)),
  ...upTo(GROUPS, (id) => groupPage(`/nested/${id}`, id, false)),
  ...upTo(ITEMS / 10, listPage),
  latestPage(),
  totalPage(),
];

/** Rendering it takes longer than the bound: who joins such a render near its end must not be given its old data. */
export const SLUGGISH_PAGES: readonly PageUnderTest[] = [itemPage('/sluggish/1', 1)];

function itemPage(path: string, id: number): PageUnderTest {
  return {
    path,
    ...(path.startsWith('/kept/') && { prefersAvailability: true }),
    judge: (shown, history, now) => {
      const look = new Look(now);
      const row = rowOf(history.items, id);
      const version = shown.items.get(id);
      if (version === undefined) look.missing(row, (place) => place === undefined);
      else look.shown(row, version);
      return look.finding;
    },
  };
}

/** `atOnce`: its items and their membership are of one moment, since one statement reads both. */
function groupPage(path: string, id: number, atOnce: boolean): PageUnderTest {
  return {
    path,
    judge: (shown, history, now) => {
      const look = new Look(now);
      look.shown(rowOf(history.groups, id), shown.groups.get(id) ?? 0);
      for (const row of history.items) {
        const version = shown.items.get(row.id);
        if (version === undefined) look.missing(row, (place) => place !== id);
        else {
          look.shown(row, version);
          if (!atOnce) look.missing(row, (place) => place === id);
          else if (row.placeIn(version) !== id)
            throw new NonsenseError(`${path}: item ${row.id} is elsewhere in version ${version}`);
        }
      }
      return look.finding;
    },
  };
}

function listPage(number: number): PageUnderTest {
  return {
    path: `/list/${number}`,
    judge: (shown, history, now) => {
      const look = new Look(now);
      for (const row of history.items.slice((number - 1) * 10, number * 10)) {
        const version = shown.items.get(row.id);
        if (version === undefined) look.missing(row, (place) => place === undefined);
        else look.shown(row, version);
      }
      return look.finding;
    },
  };
}

function latestPage(): PageUnderTest {
  return {
    path: '/latest',
    judge: (shown, history, now) => {
      const look = new Look(now);
      const lowest = Math.min(...shown.items.values());
      for (const row of history.items) {
        const version = shown.items.get(row.id);
        if (version !== undefined) look.shown(row, version);
        // What is not among the highest was no higher than the lowest of them, or was not there.
        else look.missing(row, (place, version) => place === undefined || version <= lowest);
      }
      return look.finding;
    },
  };
}

function totalPage(): PageUnderTest {
  return {
    path: '/total',
    judge: (shown, history, now) => {
      if (shown.total === undefined) throw new NonsenseError('/total: no total');
      const stalenessMs = history.total.overtakenFor(shown.total, now);
      return { rows: 1, stalenessMs, what: `total ${shown.total}` };
    },
  };
}

/** Collects what a page has to answer for. */
class Look {
  readonly finding: Finding = { rows: 0, stalenessMs: 0, what: '' };
  readonly #now: Milliseconds;

  constructor(now: Milliseconds) {
    this.#now = now;
  }

  shown(row: Row, version: number): void {
    if (version < 1 || version > row.newest)
      throw new NonsenseError(`row ${row.id}: version ${version} of ${row.newest} that were written`);
    this.#note(row, version);
  }

  /** Not shown, or shown at all: right as of the newest version in which that was so. */
  missing(row: Row, fits: (place: number | undefined, version: number) => boolean): void {
    const version = row.newestThat(fits);
    if (version === 0) throw new NonsenseError(`row ${row.id} was never as the page shows it`);
    this.#note(row, version);
  }

  #note(row: Row, version: number): void {
    this.finding.rows++;
    const forMs = row.overtakenFor(version, this.#now);
    if (forMs <= this.finding.stalenessMs) return;
    this.finding.stalenessMs = forMs;
    this.finding.what = `row ${row.id}: as of version ${version}, of ${row.newest}`;
  }
}

function rowOf(rows: readonly Row[], id: number): Row {
  const row = rows[id - 1];
  if (row === undefined) throw new RangeError(`no row ${id}`);
  return row;
}

function upTo<T>(count: number, make: (id: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index + 1));
}
