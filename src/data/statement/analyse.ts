// A statement's text to its plan. Sound first: every table that is read counts with its rows (they come and
// go) and every column that is named. Sharper where the statement allows: rows pinned by value, columns that are
// only shown, rows found by a key that the result shows. What is not understood makes the statement untracked.
import { parseSync } from 'libpg-query';
import { schemaKey, tableKey } from '../keys/keys.ts';
import type { ValueKind } from '../keys/keys-value.ts';
import type { Catalog, Relation } from '../schema/catalog.ts';
import { Blocks } from './blocks.ts';
import { Findings, maxScans, Refusal } from './findings.ts';
import type { Block } from './from.ts';
import { choosePins } from './pins.ts';
import type { ScanPlan, StatementPlan } from './plan.ts';
import type { Scan } from './scope.ts';
import { asTree, type Body, children, eachChild, type Tree } from './tree.ts';

/**
 * The plan of one statement. Needs the parser loaded (`loadModule()` of libpg-query, once a process).
 * Never throws: what Postgres itself will refuse comes back untracked.
 */
export function analyse(sql: string, catalog: Catalog): StatementPlan {
  let findings = new Findings();
  try {
    const statement = onlyStatement(sql);
    const params = countParams(statement);
    const attempt = (plain: boolean): Block => {
      findings = new Findings();
      findings.definitions.add(schemaKey);
      if (catalog.hazard !== undefined) findings.untracked.add(catalog.hazard);
      const blocks = new Blocks(catalog, findings, {
        plain,
        path: catalog.searchPath,
        session: catalog.session,
        // The type of a parameter that stands once beside a column is the column's; one that stands elsewhere
        // too may have got its type there. Only for these kinds would that change what is equal.
        paramOk: (index: number, kind: ValueKind) =>
          (kind !== 'text' && kind !== 'numeric') || params.get(index + 1) === 1,
      });
      return blocks.outermost(statement);
    };
    let block = attempt(true);
    if (findings.outerAggregate) block = attempt(false);
    findings.close(statement);
    if (findings.scans.length > maxScans) findings.untracked.add(`more than ${maxScans} tables are read`);
    return {
      kind: 'tracked',
      definitions: [...findings.definitions].sort(),
      scans: findings.scans.slice(0, maxScans).map((scan) => scanPlan(scan)),
      untracked: [...findings.untracked],
      outputs: block.targets?.map((target) => target.name),
    };
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', why: error.why };
    const why = error instanceof Error ? error.message : String(error);
    // Should that come from a definition which is changed again, all that came up until then tells of it.
    const tables = findings.scans.map(({ relation }) => tableKey(relation.keyName));
    return {
      kind: 'tracked',
      definitions: [...new Set([schemaKey, ...findings.definitions, ...tables])].sort(),
      scans: [],
      untracked: [`not understood: ${why}`],
      outputs: undefined,
    };
  }
}

function onlyStatement(sql: string): Tree {
  const parsed: unknown = parseSync(sql);
  const statements = children({ parsed: [{ Parsed: parsed }] }, 'parsed')[0]?.body.stmts;
  if (!Array.isArray(statements) || statements.length !== 1) {
    throw new Refusal('one statement at a time: the text holds several, or none');
  }
  const [raw] = statements as readonly Body[];
  const statement = raw === undefined ? undefined : asTree(raw.stmt);
  if (statement === undefined) throw new Refusal('the text holds no statement');
  return statement;
}

function countParams(statement: Tree): Map<number, number> {
  const counts = new Map<number, number>();
  const visit = ({ kind, body }: Tree): void => {
    if (kind === 'ParamRef' && typeof body.number === 'number') {
      counts.set(body.number, (counts.get(body.number) ?? 0) + 1);
    }
    eachChild(body, visit);
  };
  visit(statement);
  return counts;
}

function scanPlan(scan: Scan): ScanPlan {
  const { relation, filter, output, shownAs } = scan;
  const rowKey = relation.primaryKey.flatMap((name) => {
    const index = shownAs.get(name);
    const kind = relation.columns.get(name)?.kind;
    return index === undefined || kind === undefined ? [] : [{ index, kind }];
  });
  return {
    table: relation.keyName,
    pins: choosePins(scan) ?? scan.lookup,
    pinsWhenShown: scan.whenShown,
    leavers: scan.leavers,
    filter: [...filter].sort(),
    output: [...output].filter((name) => !filter.has(name)).sort(),
    toldWhole: relation.toldWhole,
    pinnedColumns: columnsOfRow(relation, [...filter, ...output]),
    shownColumns: columnsOfRow(relation, output),
    rowKey: rowKey.length > 0 && rowKey.length === relation.primaryKey.length ? rowKey : undefined,
  };
}

/** Without the primary key's: a row with another key is another row. */
function columnsOfRow(relation: Relation, used: Iterable<string>): string[] | undefined {
  const others = (names: Iterable<string>) =>
    [...new Set(names)].filter((name) => !relation.primaryKey.includes(name)).sort();
  const columns = others(used);
  const all = others(relation.columns.keys());
  return relation.toldWhole && columns.length < all.length ? columns : undefined;
}
