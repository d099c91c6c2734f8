// What was written, and when. One clock (the check's own, monotonic) times writes and reads alike.
//
// Every row has one writer, and each commit that touches it raises its version by one. So a version that a page shows
// tells exactly which commits the page had seen of that row, and the commit after it is the first it had not.
import type { Milliseconds } from '../../src/core/units.ts';

/** Where an item is in one of its versions: its group, or nowhere while it is deleted. */
export type Place = number | undefined;

interface Version {
  readonly place: Place;
  /** Before COMMIT was sent: nobody can have seen it earlier. */
  readonly sentAt: Milliseconds;
  /** When COMMIT had returned: from now on it counts. Infinity until then. */
  returnedAt: Milliseconds;
}

/** One row through time. */
export class Row {
  readonly id: number;
  readonly #versions: Version[];

  constructor(id: number, place: Place) {
    this.id = id;
    this.#versions = [{ place, sentAt: Number.NEGATIVE_INFINITY, returnedAt: Number.NEGATIVE_INFINITY }];
  }

  /** The newest version that may be in the database. Versions count from 1. */
  get newest(): number {
    return this.#versions.length;
  }

  get place(): Place {
    return this.placeIn(this.newest);
  }

  placeIn(version: number): Place {
    return this.#versions[version - 1]?.place;
  }

  /** A commit is about to be sent. The answer is to be called when it has returned. */
  writing(place: Place, now: Milliseconds): (now: Milliseconds) => void {
    const version: Version = { place, sentAt: now, returnedAt: Number.POSITIVE_INFINITY };
    this.#versions.push(version);
    return (returnedAt) => {
      version.returnedAt = returnedAt;
    };
  }

  /** How long, at `now`, this version has been overtaken by the next one; 0 while it has not, or may not have been. */
  overtakenFor(version: number, now: Milliseconds): Milliseconds {
    const next = this.#versions[version];
    return next === undefined ? 0 : Math.max(0, now - next.returnedAt);
  }

  /** The newest version that fits; 0 where none ever did. */
  newestThat(fits: (place: Place, version: number) => boolean): number {
    for (let version = this.newest; version > 0; version--) {
      if (fits(this.placeIn(version), version)) return version;
    }
    return 0;
  }
}

/** A sum that only grows, made from rows of many writers: all that is known is how many commits it must contain. */
class Total {
  readonly #base: number;
  readonly #returned: Milliseconds[] = [];

  constructor(base: number) {
    this.#base = base;
  }

  returned(now: Milliseconds): void {
    this.#returned.push(now);
  }

  /** At least so long: of one more commits than it contains, one at least is missing. */
  overtakenFor(shown: number, now: Milliseconds): Milliseconds {
    const next = this.#returned[shown - this.#base];
    return next === undefined ? 0 : Math.max(0, now - next);
  }
}

export const ITEMS = 60;
export const GROUPS = 8;

export class History {
  readonly items = rows(ITEMS, (id) => (id % GROUPS) + 1);
  readonly groups = rows(GROUPS, (id) => id);
  readonly total = new Total(GROUPS);
}

function rows(count: number, placeOf: (id: number) => Place): readonly Row[] {
  return Array.from({ length: count }, (_, index) => new Row(index + 1, placeOf(index + 1)));
}

export const SCHEMA = `
  create table groups (id int primary key, version int not null);
  create table items (id int primary key, group_id int not null, version int not null);
  create index on items (group_id);
  insert into groups select id, 1 from generate_series(1, ${GROUPS}) id;
  insert into items select id, id % ${GROUPS} + 1, 1 from generate_series(1, ${ITEMS}) id;
  analyze;
`;
