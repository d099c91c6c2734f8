// FROM: which tables are read, under which names, and which conditions stand above all rows of which.

import { relationName, tableKey } from '../keys/keys.ts';
import type { Catalog, Relation, Session } from '../schema/catalog.ts';
import { baseOfItem, commonNames } from './columns.ts';
import type { Cte, Expressions, Place } from './expressions.ts';
import { type Findings, maxScans, Refusal } from './findings.ts';
import type { Joined } from './lookups.ts';
import type { Fact, ParamCheck, Resolved } from './pins.ts';
import { find, hasColumn, type Item, newScan, type Scan, type Scope, type Target } from './scope.ts';
import { type Body, child, children, eachChild, items, names, part, type Tree, text } from './tree.ts';

export interface BlocksOptions {
  /** Columns may count as only shown. */
  readonly plain: boolean;
  readonly paramOk: ParamCheck;
  /** Inside a function: names that stand for no column may be its variables. */
  readonly lenient?: boolean;
  /** Where the names of this text are looked up. */
  readonly path: readonly string[];
  /** What runs the text: functions that it calls look their own names up by this. */
  readonly session: Session;
  /** Read with the rights of another role (a view's owner), so that other row policies may apply. */
  readonly otherRole?: boolean;
}

/** What a block looks like from outside. */
export interface Block {
  /** Undefined: the columns are not known. */
  readonly targets: readonly Target[] | undefined;
  /** The block only renames, joins and filters. */
  readonly transparent: boolean;
  readonly joined: Joined;
  /** Expressions to walk once the conditions of the block around are known. */
  readonly pending: readonly (() => void)[];
}

/** What FROM may name beside tables. */
export interface Subqueries {
  query(select: Body, place: Place): Block;
  cte(cte: Cte, name: string, place: Place): Block;
  view(view: Relation, depth: number): Block;
}

export const nothing: Joined = { scans: new Set(), padded: new Set(), facts: [], lookups: [] };

export class From {
  private readonly catalog: Catalog;
  private readonly findings: Findings;
  private readonly options: BlocksOptions;
  private readonly expressions: Expressions;
  private readonly blocks: Subqueries;

  constructor(
    catalog: Catalog,
    findings: Findings,
    options: BlocksOptions,
    expressions: Expressions,
    blocks: Subqueries,
  ) {
    this.catalog = catalog;
    this.findings = findings;
    this.options = options;
    this.expressions = expressions;
    this.blocks = blocks;
  }

  /** Fills the scope's items. Expressions are left in `pending` until the conditions are known. */
  read(select: Body, scope: Scope, place: Place, pending: (() => void)[]): Joined {
    return joinAll(children(select, 'fromClause').map((item) => this.item(item, scope, place, pending)));
  }

  private item(item: Tree, scope: Scope, place: Place, pending: (() => void)[]): Joined {
    switch (item.kind) {
      case 'RangeVar':
        return this.rangeVar(item.body, scope, place, pending);
      case 'RangeSubselect': {
        const query = child(item.body, 'subquery');
        if (query?.kind !== 'SelectStmt') throw new Refusal('a subquery writes');
        // Only LATERAL sees its neighbours; a name that is also theirs means the block around otherwise.
        const around =
          item.body.lateral === true
            ? below(scope, place)
            : { ...below(scope, place), outer: scope.parent, outerUse: scope.outerUse };
        const block = this.blocks.query(query.body, around);
        return this.derived(block, aliasOf(item.body), aliasColumns(item.body), scope, pending);
      }
      case 'JoinExpr':
        return this.join(item.body, scope, place, pending);
      case 'RangeFunction': {
        pending.push(() =>
          eachChild(item.body, (inner) => this.expressions.walk(inner, scope, 'filter', place)),
        );
        scope.items.push({
          kind: 'opaque',
          alias: aliasOf(item.body) ?? functionAlias(item),
          names: undefined,
        });
        return nothing;
      }
      case 'RangeTableSample':
        this.findings.untracked.add('TABLESAMPLE picks rows by where they lie');
        return this.item(child(item.body, 'relation') ?? item, scope, place, pending);
      // Rows made of an expression that sees the items to its left, as functions do.
      case 'RangeTableFunc':
      case 'JsonTable':
        pending.push(() => this.expressions.walk(item, scope, 'filter', place));
        scope.items.push({
          kind: 'opaque',
          alias: aliasOf(item.body) ?? '',
          names: aliasColumns(item.body).length > 0 ? undefined : new Set(columnsMade(item.body)),
        });
        return nothing;
      default:
        throw new Error(`${item.kind} in FROM`);
    }
  }

  private rangeVar(body: Body, scope: Scope, place: Place, pending: (() => void)[]): Joined {
    this.findings.account.meet(body);
    const schema = text(body, 'schemaname');
    const name = text(body, 'relname') ?? '';
    const alias = aliasOf(body) ?? name;
    const cte = schema === undefined ? place.ctes.get(name) : undefined;
    if (cte !== undefined) {
      const block = this.blocks.cte(cte, name, place);
      const columns = aliasColumns(body);
      return this.derived(block, alias, columns.length > 0 ? columns : cte.columns, scope, pending);
    }
    const relation = this.catalog.resolve(schema, name, this.options.path);
    if (relation === undefined || relation === 'system') {
      this.findings.untracked.add(
        relation === undefined ? `${name} is not known` : `${name} is Postgres' own`,
      );
      // The statement ran: by now there is such a table, and it will be told of.
      const schemas = relation === undefined ? this.catalog.schemasToCome(schema, this.options.path) : [];
      for (const each of schemas) this.findings.definitions.add(tableKey(relationName(each, name)));
      scope.items.push({ kind: 'opaque', alias, names: undefined });
      return nothing;
    }
    if (relation.untracked !== undefined) this.findings.untracked.add(relation.untracked);
    if (relation.view !== undefined) {
      const block = this.blocks.view(relation, place.depth);
      return this.derived(block, alias, aliasColumns(body), scope, pending, [...relation.columns.keys()]);
    }
    if (relation.guarded && this.options.otherRole === true) {
      this.findings.untracked.add(
        `${relation.name} is read with another role's rights, whose row policies may differ`,
      );
    }
    return this.table(relation, alias, aliasColumns(body), scope);
  }

  private table(relation: Relation, alias: string, renames: readonly string[], scope: Scope): Joined {
    const scan = newScan(relation);
    this.findings.scans.push(scan);
    if (this.findings.scans.length > maxScans * 2) throw new Error('too many tables are read');
    const own = [...relation.columns.keys()];
    const columns = new Map(own.map((name, i) => [renames[i] ?? name, name]));
    scope.items.push({ kind: 'scan', alias, scan, columns });
    return { scans: new Set([scan]), padded: new Set(), facts: [], lookups: [] };
  }

  private derived(
    block: Block,
    alias: string | undefined,
    renames: readonly string[],
    scope: Scope,
    pending: (() => void)[],
    columns?: readonly string[],
  ): Joined {
    const named = (target: Target, i: number): string => renames[i] ?? columns?.[i] ?? target.name;
    const all = block.targets?.map((target, i) => [named(target, i), target] as const);
    const certain = all?.every(([name]) => name !== '');
    const names = certain ? new Set(all?.map(([name]) => name)) : undefined;
    // Two columns of one name cannot be named outside, but `*` shows both: count them here.
    if (!block.transparent || all === undefined || names?.size !== all.length || !certain) {
      for (const [, target] of block.transparent ? (all ?? []) : []) {
        pending.push(() =>
          this.expressions.useTarget(target, 'filter', {
            outer: scope,
            outerUse: 'filter',
            ctes: new Map(),
            depth: 1,
          }),
        );
      }
      pending.push(...block.pending);
      scope.items.push({ kind: 'opaque', alias: alias ?? '', names });
      return block.joined;
    }
    pending.push(...block.pending);
    scope.items.push({ kind: 'derived', alias: alias ?? '', targets: new Map(all) });
    return block.joined;
  }

  private join(body: Body, scope: Scope, place: Place, pending: (() => void)[]): Joined {
    const first = scope.items.length;
    const left = this.item(
      child(body, 'larg') ?? failed('a join without a left side'),
      scope,
      place,
      pending,
    );
    const second = scope.items.length;
    const right = this.item(
      child(body, 'rarg') ?? failed('a join without a right side'),
      scope,
      place,
      pending,
    );
    const leftItems = scope.items.slice(first, second);
    const rightItems = scope.items.slice(second);
    const type = text(body, 'jointype') ?? '';
    const both = joinAll([left, right]);
    const on = child(body, 'quals');
    // The condition sees the items joined so far, and outer ones by LATERAL.
    const visible: Scope = {
      ...scope,
      items: scope.items.slice(first),
      parent: { ...scope, items: scope.items.slice(0, first) },
    };
    const walks: (() => void)[] = [];
    if (on !== undefined) {
      walks.push(() => this.expressions.walk(on, { ...scope, items: [...scope.items] }, 'filter', place));
    }
    const using = body.isNatural === true ? commonNames(leftItems, rightItems) : names(body, 'usingClause');
    if (using === undefined || using.length > 0) {
      scope.merged = true;
      this.expressions.checkEquality();
    }
    for (const item of [...leftItems, ...rightItems]) {
      if (using === undefined) walks.push(() => this.expressions.useItem(item, 'filter', place));
      for (const name of using ?? []) {
        if (hasColumn(item, name))
          walks.push(() => this.expressions.useItemColumn(item, name, 'filter', place));
      }
    }
    const applies =
      type === 'JOIN_INNER'
        ? both.scans
        : type === 'JOIN_LEFT'
          ? right.scans
          : type === 'JOIN_RIGHT'
            ? left.scans
            : new Set<Scan>();
    const side = type === 'JOIN_INNER' ? both : type === 'JOIN_LEFT' ? right : left;
    const facts: Fact[] = [];
    if (on !== undefined) facts.push(this.fact(on, visible, applies, side.padded));
    for (const name of using ?? [])
      facts.push(this.usingFact(name, leftItems, rightItems, applies, side.padded));
    const lookups = [...both.lookups];
    const [only] = right.scans;
    const single = right.scans.size === 1 && rightItems.length === 1 && rightItems[0]?.kind === 'scan';
    if (type === 'JOIN_LEFT' && only !== undefined && single) {
      lookups.push({ scan: only, conditions: facts, walk: () => walks.forEach((walk) => void walk()) });
    } else pending.push(...walks);
    const padded = new Set(both.padded);
    if (type === 'JOIN_LEFT' || type === 'JOIN_FULL') for (const scan of right.scans) padded.add(scan);
    if (type === 'JOIN_RIGHT' || type === 'JOIN_FULL') for (const scan of left.scans) padded.add(scan);
    this.aliasJoin(body, scope, [...leftItems, ...rightItems], pending, place);
    return { scans: both.scans, padded, facts: [...both.facts, ...facts], lookups };
  }

  /** `(a JOIN b ON ...) AS j` hides the names inside; its columns are counted whole. */
  private aliasJoin(
    body: Body,
    scope: Scope,
    inside: readonly Item[],
    pending: (() => void)[],
    place: Place,
  ): void {
    const alias = aliasOf(body) ?? text(part(body, 'join_using_alias') ?? {}, 'aliasname');
    if (alias === undefined) return;
    for (const item of inside) pending.push(() => this.expressions.useItem(item, 'filter', place));
    scope.items.push({ kind: 'opaque', alias, names: undefined });
  }

  private usingFact(
    name: string,
    left: readonly Item[],
    right: readonly Item[],
    applies: ReadonlySet<Scan>,
    padded: ReadonlySet<Scan>,
  ): Fact {
    const reference = (side: string): Tree => ({ kind: 'ColumnRef', body: { side } });
    const wrap = (side: string) => ({ ColumnRef: reference(side).body });
    const condition: Tree = {
      kind: 'A_Expr',
      body: {
        kind: 'AEXPR_OP',
        name: [{ String: { sval: '=' } }],
        lexpr: wrap('left'),
        rexpr: wrap('right'),
      },
    };
    const resolve = (tree: Tree): Resolved | undefined => {
      const candidates = (tree.body.side === 'left' ? left : right).filter((item) => hasColumn(item, name));
      const base =
        candidates.length === 1 && candidates[0] !== undefined ? baseOfItem(candidates[0], name) : undefined;
      return base === undefined ? undefined : { ...base, shown: undefined };
    };
    return { condition, resolve, applies, padded };
  }

  fact(condition: Tree, scope: Scope, applies: ReadonlySet<Scan>, padded: ReadonlySet<Scan>): Fact {
    return { condition, applies, padded, resolve: (tree) => this.resolve(tree.body, scope) };
  }

  /** The one column of one table that a reference names beyond doubt. */
  private resolve(reference: Body, scope: Scope): Resolved | undefined {
    const found = find(scope, names(reference, 'fields'), 'filter');
    const [only] = found;
    const [item] = only?.items ?? [];
    if (found.length !== 1 || only?.column === undefined || only.items.length !== 1 || item === undefined)
      return undefined;
    const base = baseOfItem(item, only.column);
    if (base === undefined) return undefined;
    return {
      ...base,
      shown: only.depth > 0 && only.use === 'output' ? base.scan.shownAs.get(base.column) : undefined,
    };
  }
}

/** Where a subquery of this scope stands. */
export function below(scope: Scope, place: Place): Place {
  return { outer: scope, outerUse: 'filter', ctes: place.ctes, depth: place.depth + 1 };
}

function joinAll(parts: readonly Joined[]): Joined {
  return {
    scans: new Set(parts.flatMap((one) => [...one.scans])),
    padded: new Set(parts.flatMap((one) => [...one.padded])),
    facts: parts.flatMap((one) => one.facts),
    lookups: parts.flatMap((one) => one.lookups),
  };
}

const failed = (what: string): never => {
  throw new Error(what);
};

function aliasOf(body: Body): string | undefined {
  return text(part(body, 'alias') ?? {}, 'aliasname');
}

const aliasColumns = (body: Body): string[] => names(part(body, 'alias') ?? {}, 'colnames');

/** Those of XMLTABLE, and of JSON_TABLE, which puts nested ones behind the others. */
const columnsMade = (body: Body): string[] => {
  const columns = children(body, 'columns').map((column) => column.body);
  const own = columns.filter((column) => column.coltype !== 'JTC_NESTED');
  const nested = columns.filter((column) => column.coltype === 'JTC_NESTED');
  return [
    ...own.map((column) => text(column, 'name') ?? text(column, 'colname') ?? ''),
    ...nested.flatMap(columnsMade),
  ];
};

function functionAlias(item: Tree): string {
  let alias = '';
  eachChild(item.body, (list) => {
    const [call] = items(list);
    const path = call?.kind === 'FuncCall' ? names(call.body, 'funcname') : [];
    alias = path[path.length - 1] ?? alias;
  });
  return alias;
}
