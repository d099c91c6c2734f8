// Tables that a join only looks up: joined by their whole primary key, they add to each row.
//
// An outer join never chooses among rows, so only those rows of the table matter that rows of the result lead to, and
// the result itself names them, if it shows the column that leads there. An inner join does choose: a row that leads
// nowhere is not shown, and comes when the row that it leads to comes. No foreign key is believed here: triggers can be
// disabled, and constraints be left unchecked. Where there is one row at most and the result shows it, nothing is missing.
import { choosePins, columnsEqual, conjuncts, type Fact, type Resolved } from './pins.ts';
import type { Pin } from './plan.ts';
import type { Scan } from './scope.ts';

/** The scans of a part of FROM, with what is known of them. */
export interface Joined {
  readonly scans: ReadonlySet<Scan>;
  /** Scans whose row may be padded with NULLs. */
  readonly padded: ReadonlySet<Scan>;
  readonly facts: readonly Fact[];
  readonly lookups: readonly Lookup[];
}

/** A join to one table that may add to each row but not choose among them. */
export interface Lookup {
  readonly scan: Scan;
  readonly conditions: readonly Fact[];
  /** Counts the columns of the join's own condition; run after it is known what else uses the scan's columns. */
  readonly walk: () => void;
}

/** Run when everything but the lookups' own conditions has been counted. Only for the outermost block. */
export function lookUp(joined: Joined): void {
  for (const { scan, conditions } of joined.lookups) {
    // A column that something beside the join's own condition uses may choose among rows.
    if (scan.filter.size === 0 && !scan.relation.inherited) {
      const partners = keyPartners(scan, conditions);
      if (partners !== undefined) pinByResult(scan, partners);
    }
  }
  const single = new Set([...joined.scans].filter(isOneRow));
  for (let moved = true; moved; ) {
    moved = false;
    for (const scan of joined.scans) if (lookUpByInnerJoin(scan, joined, single)) moved = true;
  }
}

/** For each column of the scan's primary key, the column that a condition sets it equal to. */
function keyPartners(scan: Scan, facts: readonly Fact[]): Map<string, Resolved> | undefined {
  const partners = new Map<string, Resolved>();
  for (const fact of facts) {
    if (!fact.applies.has(scan)) continue;
    for (const condition of conjuncts(fact.condition)) {
      const pair = columnsEqual(condition, fact);
      if (pair === undefined) continue;
      for (const [mine, other] of [
        [pair.left, pair.right],
        [pair.right, pair.left],
      ] as const) {
        if (mine.scan === scan && other.scan !== scan && !partners.has(mine.column))
          partners.set(mine.column, other);
      }
    }
  }
  const { primaryKey } = scan.relation;
  return primaryKey.length > 0 && primaryKey.every((name) => partners.has(name)) ? partners : undefined;
}

/** Pins the scan to the rows that the result leads to, when the result shows all of what leads there. */
function pinByResult(scan: Scan, partners: ReadonlyMap<string, Resolved>): void {
  // An outer join's own key is NULL where the row is missing, and does not say which row that is.
  const pin = pinOf(scan, (name) => {
    const partner = partners.get(name);
    return partner?.scan.shownAs.get(partner.column);
  });
  if (pin !== undefined) scan.lookup = [pin];
}

function pinOf(scan: Scan, shown: (name: string) => number | undefined): Pin | undefined {
  const { primaryKey } = scan.relation;
  const columns = primaryKey.flatMap((name) => {
    const kind = scan.relation.columns.get(name)?.kind;
    const index = shown(name);
    if (index === undefined || kind === undefined) return [];
    return [{ name, kind, sources: [{ kind: 'output', index } as const] }];
  });
  return columns.length > 0 && columns.length === primaryKey.length ? { row: true, columns } : undefined;
}

/** True when something came of it that other joins can build on. */
function lookUpByInnerJoin(scan: Scan, joined: Joined, single: Set<Scan>): boolean {
  const { primaryKey, inherited } = scan.relation;
  const partners = keyPartners(scan, joined.facts);
  if (partners === undefined || inherited || joined.padded.has(scan)) return false;
  const others = [...partners.values()];
  if (others.some((other) => joined.padded.has(other.scan) || !joined.scans.has(other.scan))) return false;
  let moved = false;
  for (const name of primaryKey) {
    // Columns that are equal in every row of the result are shown by one of them.
    const other = partners.get(name);
    const index = other?.scan.shownAs.get(other.column);
    if (index === undefined || scan.shownAs.has(name)) continue;
    scan.shownAs.set(name, index);
    moved = true;
  }
  if (single.has(scan) || !others.every((other) => single.has(other.scan))) return moved;
  const pin = pinOf(scan, (name) => scan.shownAs.get(name));
  if (pin === undefined) return moved;
  scan.whenShown = [pin];
  single.add(scan);
  return true;
}

/** At most one row of the table can matter, whatever is in it. */
function isOneRow(scan: Scan): boolean {
  const [pin, ...more] = choosePins(scan) ?? [];
  return (
    pin?.row === true &&
    more.length === 0 &&
    !scan.relation.inherited &&
    pin.columns.every(
      ({ sources: [only, ...others] }) =>
        others.length === 0 && (only?.kind === 'constant' || only?.kind === 'param'),
    )
  );
}
