// Tables that a join only looks up: joined by their whole primary key, they add to each row and never choose
// among rows. By an outer join always, by an inner one where a foreign key says that the row is there.
// Then only those of their rows matter that rows of the result lead to, and the result itself names them,
// if it shows the column that leads there.
import { columnsEqual, conjuncts, type Fact, type Resolved } from './pins.ts';
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
      if (partners !== undefined) pinByResult(scan, partners, false);
    }
  }
  for (const scan of joined.scans) lookUpByForeignKey(scan, joined);
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
function pinByResult(scan: Scan, partners: ReadonlyMap<string, Resolved>, inner: boolean): void {
  const columns = scan.relation.primaryKey.flatMap((name) => {
    const partner = partners.get(name);
    const kind = scan.relation.columns.get(name)?.kind;
    // An outer join's own key is NULL where the row is missing, and does not say which row that is.
    const index = partner?.scan.shownAs.get(partner.column) ?? (inner ? scan.shownAs.get(name) : undefined);
    if (index === undefined || kind === undefined) return [];
    return [{ name, kind, sources: [{ kind: 'output', index } as const] }];
  });
  if (columns.length === scan.relation.primaryKey.length) scan.lookup = [{ row: true, columns }];
}

function lookUpByForeignKey(scan: Scan, joined: Joined): void {
  const partners = keyPartners(scan, joined.facts);
  if (partners === undefined || scan.relation.inherited || joined.padded.has(scan)) return;
  const { primaryKey } = scan.relation;
  const [first] = [...partners.values()];
  if (first === undefined || joined.padded.has(first.scan) || first.scan.relation.inherited) return;
  const from = first.scan;
  if (primaryKey.some((name) => partners.get(name)?.scan !== from)) return;
  const holds = from.relation.foreignKeys.some(
    (key) =>
      key.to.keyName === scan.relation.keyName &&
      key.to.oid === scan.relation.oid &&
      key.columns.length === primaryKey.length &&
      key.toColumns.every((to, i) => partners.get(to)?.column === key.columns[i]) &&
      primaryKey.every((name) => key.toColumns.includes(name)),
  );
  if (!holds) return;
  scan.rows = false;
  if ([...scan.filter].every((name) => primaryKey.includes(name))) pinByResult(scan, partners, true);
}
