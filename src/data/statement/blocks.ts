// Walks the blocks of a statement: FROM and its conditions first, then every expression, so that an inner block
// can use what the outer conditions pin.

import { tableKey } from '../keys/keys.ts';
import type { Catalog, Relation, SqlFunction } from '../schema/catalog.ts';
import { defaultsOf, functionBody, namesUnknown, viewBody } from './bodies.ts';
import { Calls } from './calls.ts';
import { baseOf, opaqueTargets, outputName, unique } from './columns.ts';
import { type Cte, Expressions, type Place } from './expressions.ts';
import { type Findings, Refusal } from './findings.ts';
import { type Block, type BlocksOptions, below, From, nothing } from './from.ts';
import { type Joined, lookUp } from './lookups.ts';
import { solve } from './pins.ts';
import { columnNames, find, type Item, type Scope, type Target, type Use } from './scope.ts';
import {
  type Body,
  child,
  children,
  constant,
  eachChild,
  items,
  names,
  part,
  type Tree,
  text,
} from './tree.ts';

const maxDepth = 40;

export class Blocks {
  private readonly catalog: Catalog;
  private readonly findings: Findings;
  private readonly options: BlocksOptions;
  private readonly calls: Calls;
  private readonly expressions: Expressions;
  private readonly from: From;

  constructor(catalog: Catalog, findings: Findings, options: BlocksOptions) {
    this.catalog = catalog;
    this.findings = findings;
    this.options = options;
    this.calls = new Calls(catalog, options.path);
    this.expressions = new Expressions(catalog, findings, this.calls, {
      query: (select, scope, use, place) =>
        void this.select(select, { ...below(scope, place), outerUse: use }, 'inner'),
      call: (fn, name, args, place) => this.follow(fn, name, args, place.depth),
    });
    this.from = new From(catalog, findings, options, this.expressions, {
      query: (select, place) => this.select(select, place, 'derived'),
      cte: (cte, name, place) => this.fromCte(cte, name, place, 'derived'),
      view: (view, depth) => this.view(view, depth),
    });
  }

  /** The statement itself. */
  outermost(statement: Tree): Block {
    if (statement.kind !== 'SelectStmt') {
      const why = /^(Insert|Update|Delete|Merge)Stmt$/.test(statement.kind)
        ? 'a page may only read: writes belong in a transaction of an action'
        : `only SELECT can be followed, this is ${statement.kind}`;
      throw new Refusal(why);
    }
    const block = this.select(
      statement.body,
      { outer: undefined, outerUse: 'filter', ctes: new Map(), depth: 0 },
      'outermost',
    );
    return block;
  }

  // ------------------------------------------------------------------ views and functions

  /** A view's query, for the block that reads the view and may look through it. */
  private view(view: Relation, depth: number): Block {
    this.findings.definitions.add(tableKey(view.keyName));
    const inside = {
      ...this.options,
      paramOk: () => false,
      lenient: false,
      otherRole: true,
      path: this.catalog.searchPath,
    };
    const place: Place = { outer: undefined, outerUse: 'filter', ctes: new Map(), depth: depth + 1 };
    // No account of it: parts of a block that is looked through are walked later, or never.
    return new Blocks(this.catalog, this.findings, inside).select(viewBody(view), place, 'derived');
  }

  /** Counts what a call of one of the application's functions may read; untracked where that cannot be told. */
  private follow(fn: SqlFunction, name: string, args: number, depth: number): void {
    this.findings.definitions.add(fn.key);
    if (args < fn.mostArgs) {
      const caller = { path: this.catalog.searchPath, session: this.options.session };
      this.read(name, caller, depth, () => defaultsOf(fn));
    }
    for (const type of fn.types) {
      if (this.catalog.impureCasts.has(type))
        this.findings.untracked.add(
          `${name}() casts to ${type}, which may call a function that is not immutable`,
        );
      if (this.catalog.catalogTypes.has(type))
        this.findings.untracked.add(`${name}() casts to ${type}, which reads Postgres' catalog`);
    }
    if (fn.pure) {
      // It promises to read nothing, so that it rests on definitions only: those whose names stand in it.
      if (namesUnknown(fn)) this.findings.untracked.add(`${name}() runs SQL that it puts together`);
      return;
    }
    const { session } = this.options;
    const within = { setting: fn.searchPath ?? session.setting, role: fn.runsAs ?? session.role };
    const path = fn.standard ? this.catalog.searchPath : this.catalog.pathOf(within);
    const once = JSON.stringify([fn.oid, path, within]);
    if (this.findings.following.has(once)) return;
    this.findings.following.add(once);
    this.read(name, { path, session: within }, depth, () => functionBody(fn));
  }

  /** Queries of a function's. */
  private read(
    name: string,
    where: Pick<BlocksOptions, 'path' | 'session'>,
    depth: number,
    queries: () => readonly Body[],
  ): void {
    const inside: BlocksOptions = {
      plain: false,
      paramOk: () => false,
      lenient: true,
      otherRole: true,
      ...where,
    };
    const place: Place = { outer: undefined, outerUse: 'filter', ctes: new Map(), depth: depth + 1 };
    try {
      for (const body of queries()) {
        new Blocks(this.catalog, this.findings, inside).select(body, place, 'inner');
        this.findings.close({ kind: 'SelectStmt', body });
      }
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal(`${name}(): ${error.why}`);
      this.findings.untracked.add(`${name}(): ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /**
   * `outermost`: its rows are the result's. `derived`: it may be looked through by the block around, which then
   * runs `pending`. `inner`: everything it names decides something.
   */
  private select(select: Body, place: Place, role: 'outermost' | 'derived' | 'inner'): Block {
    if (place.depth > maxDepth) throw new Error(`nested deeper than ${maxDepth}`);
    if (children(select, 'lockingClause').length > 0)
      throw new Refusal('it locks rows (FOR UPDATE, FOR SHARE)');
    if (child(select, 'intoClause') !== undefined || part(select, 'intoClause') !== undefined) {
      throw new Refusal('SELECT INTO creates a table');
    }
    const inside = { ...place, depth: place.depth + 1, ctes: this.withClause(select, place) };
    if (select.op !== 'SETOP_NONE') return this.setOperation(select, inside);
    const scope: Scope = {
      items: [],
      parent: place.outer,
      outerUse: place.outerUse,
      lenient: this.options.lenient === true,
      merged: false,
    };
    if (Array.isArray(select.valuesLists)) return this.values(select, scope, inside);
    return this.plainSelect(select, scope, inside, role);
  }

  private plainSelect(
    select: Body,
    scope: Scope,
    place: Place,
    role: 'outermost' | 'derived' | 'inner',
  ): Block {
    const pending: (() => void)[] = [];
    const joined = this.from.read(select, scope, place, pending);
    const where = child(select, 'whereClause');
    if (where !== undefined) pending.push(() => this.expressions.walk(where, scope, 'filter', place));
    const whereFacts = where === undefined ? [] : [this.from.fact(where, scope, joined.scans, joined.padded)];
    const all: Joined = { ...joined, facts: [...joined.facts, ...whereFacts] };
    const shape = this.calls.shapeOf(select, scope);
    const targets = this.targetsOf(select, scope);
    const rowwise = this.options.plain && shape.rowwise;
    const shown = role === 'outermost' && rowwise && targets !== undefined;
    for (const ordering of this.orderings(select)) {
      pending.push(() => this.walkOrdering(ordering, scope, targets, 'filter', place));
    }
    for (const sort of children(select, 'sortClause')) {
      // Where all rows are shown, a column that only orders them matters in rows that are shown.
      const use = shown && !shape.limited ? 'output' : 'filter';
      pending.push(() => this.walkOrdering(sort, scope, targets, use, place));
    }
    if (
      role === 'derived' &&
      rowwise &&
      !shape.limited &&
      !shape.windows &&
      targets !== undefined &&
      unique(targets)
    ) {
      for (const { from } of targets) if ('expression' in from) this.findings.account.defer(from.expression);
      return { targets, transparent: true, joined: all, pending };
    }
    solve(all.facts, this.options.paramOk);
    if (shown) {
      this.show(targets, all);
      if (!shape.windows && child(select, 'limitOffset') === undefined) {
        for (const scan of all.scans) scan.leavers = all.padded.has(scan);
      }
    }
    for (const run of pending) run();
    const use = shown ? 'output' : 'filter';
    this.walkTargets(select, targets, scope, use, place);
    if (shown) lookUp(all);
    for (const lookup of all.lookups) lookup.walk();
    return { targets, transparent: false, joined: nothing, pending: [] };
  }

  private walkTargets(
    select: Body,
    targets: readonly Target[] | undefined,
    scope: Scope,
    use: Use,
    place: Place,
  ): void {
    if (targets === undefined) {
      for (const target of children(select, 'targetList'))
        this.expressions.walk(target, scope, 'filter', place);
    } else for (const target of targets) this.expressions.useTarget(target, use, place);
  }

  /** Remembers which columns of the result show which columns of tables. */
  private show(targets: readonly Target[], joined: Joined): void {
    targets.forEach((target, index) => {
      const base = baseOf(target);
      if (base !== undefined && joined.scans.has(base.scan) && !base.scan.shownAs.has(base.column)) {
        base.scan.shownAs.set(base.column, index);
      }
    });
  }

  private orderings(select: Body): Tree[] {
    return ['groupClause', 'distinctClause', 'windowClause']
      .flatMap((field) => children(select, field))
      .concat(['havingClause', 'limitCount', 'limitOffset'].flatMap((field) => child(select, field) ?? []));
  }

  /** ORDER BY, GROUP BY and DISTINCT ON may name an output column, by name or by number. */
  private walkOrdering(
    tree: Tree,
    scope: Scope,
    targets: readonly Target[] | undefined,
    use: Use,
    place: Place,
  ): void {
    const node = tree.kind === 'SortBy' ? child(tree.body, 'node') : tree;
    if (tree.kind === 'SortBy') this.expressions.checkOperators(tree);
    if (node?.kind === 'A_Const' && targets !== undefined) {
      const target = targets[Number(constant(node)) - 1];
      if (target !== undefined) this.expressions.useTarget(target, use, place);
    }
    const fields = node?.kind === 'ColumnRef' ? names(node.body, 'fields') : [];
    const named = fields.length === 1 ? (targets ?? []).filter((target) => target.name === fields[0]) : [];
    for (const target of named) this.expressions.useTarget(target, use, place);
    if (node?.kind === 'ColumnRef')
      this.expressions.useColumn(node.body, scope, use, place, named.length > 0);
    else if (node?.kind === 'GroupingSet') {
      for (const inner of children(node.body, 'content').flatMap((one) =>
        one.kind === 'List' ? items(one) : [one],
      )) {
        this.walkOrdering(inner, scope, targets, use, place);
      }
    } else this.expressions.walk(tree, scope, use, place);
  }

  private setOperation(select: Body, place: Place): Block {
    const sides = ['larg', 'rarg'].flatMap((field) => {
      const side = part(select, field);
      return side === undefined ? [] : [this.select(side, { ...place, outerUse: 'filter' }, 'inner')];
    });
    const scope: Scope = { items: [], parent: place.outer, outerUse: 'filter', lenient: true, merged: false };
    for (const field of ['limitCount', 'limitOffset']) {
      const limit = child(select, field);
      if (limit !== undefined) this.expressions.walk(limit, scope, 'filter', place);
    }
    for (const sort of children(select, 'sortClause')) {
      this.expressions.checkOperators(sort);
      // Output columns by name or number, which are counted already; an expression is an error in Postgres.
      if (child(sort.body, 'node')?.kind !== 'ColumnRef') this.expressions.walk(sort, scope, 'filter', place);
    }
    return { targets: opaqueTargets(sides[0]?.targets), transparent: false, joined: nothing, pending: [] };
  }

  private values(select: Body, scope: Scope, place: Place): Block {
    const lists = children(select, 'valuesLists');
    for (const list of lists)
      for (const value of items(list)) this.expressions.walk(value, scope, 'filter', place);
    const columns = items(lists[0]).map((_, i) => `column${i + 1}`);
    const item: Item = { kind: 'opaque', alias: '', names: new Set(columns) };
    for (const use of [...this.orderings(select), ...children(select, 'sortClause')])
      this.expressions.walk(use, { ...scope, items: [item], lenient: true }, 'filter', place);
    const targets = columns.map((name) => ({ name, from: { item, column: name }, walked: new Set<Use>() }));
    return { targets, transparent: false, joined: nothing, pending: [] };
  }

  private withClause(select: Body, place: Place): ReadonlyMap<string, Cte> {
    const clause = part(select, 'withClause');
    if (clause === undefined) return place.ctes;
    const ctes = new Map(place.ctes);
    const recursive = clause.recursive === true;
    const defined = children(clause, 'ctes').map(({ body }) => ({
      name: text(body, 'ctename') ?? '',
      columns: names(body, 'aliascolnames'),
      query: child(body, 'ctequery'),
      odd: part(body, 'search_clause') !== undefined || part(body, 'cycle_clause') !== undefined,
    }));
    defined.forEach(({ name, columns, query, odd }, i) => {
      if (query?.kind !== 'SelectStmt') throw new Refusal('a WITH query writes');
      if (recursive && defined.slice(i + 1).some((later) => mentions(query, later.name))) {
        this.findings.untracked.add('a WITH query names a later one');
      }
      const cte: Cte = { query, columns, odd, recursive, ctes: new Map(ctes), outer: place.outer };
      ctes.set(name, cte);
      // A query whose result is unused is not run; all the same it may not write or do what cannot be followed.
      const aside = this.findings.aside();
      new Blocks(this.catalog, aside, this.options).fromCte(cte, name, { ...place, ctes }, 'inner');
      this.findings.absorb(aside);
    });
    return ctes;
  }

  private fromCte(cte: Cte, name: string, place: Place, role: 'derived' | 'inner'): Block {
    const ctes = new Map(cte.ctes);
    // Inside itself its rows are those being counted here already.
    if (cte.recursive) ctes.set(name, { ...cte, query: undefined });
    const inside = { outer: cte.outer, outerUse: 'filter' as const, ctes, depth: place.depth + 1 };
    const query = cte.query;
    if (query === undefined) return { targets: undefined, transparent: false, joined: nothing, pending: [] };
    const block = this.select(query.body, inside, cte.recursive && mentions(query, name) ? 'inner' : role);
    return cte.odd ? { ...block, targets: undefined } : block;
  }

  // ------------------------------------------------------------------ targets

  /** The output columns with stars written out; undefined where a star covers what is not known. */
  private targetsOf(select: Body, scope: Scope): Target[] | undefined {
    const targets: Target[] = [];
    for (const { body } of children(select, 'targetList')) {
      const value = child(body, 'val');
      if (value === undefined) return undefined;
      const fields = value.kind === 'ColumnRef' ? names(value.body, 'fields') : [];
      if (fields[fields.length - 1] === '*') {
        const expanded = this.star(fields, scope);
        if (expanded === undefined) return undefined;
        targets.push(...expanded);
        continue;
      }
      if (
        value.kind === 'A_Indirection' &&
        children(value.body, 'indirection').some((one) => one.kind === 'A_Star')
      ) {
        return undefined;
      }
      targets.push({
        name: text(body, 'name') ?? outputName(value),
        from: { expression: value, scope },
        walked: new Set(),
      });
    }
    return targets;
  }

  private star(fields: readonly string[], scope: Scope): Target[] | undefined {
    const chosen = fields.length === 1 ? scope.items : (find(scope, fields, 'filter')[0]?.items ?? []);
    if (chosen.length === 0 && fields.length > 1) return undefined;
    const targets: Target[] = [];
    for (const item of chosen) {
      const columns = columnNames(item);
      if (columns === undefined) return undefined;
      for (const column of columns) targets.push({ name: column, from: { item, column }, walked: new Set() });
    }
    // USING shows a merged column once and first: positions are not those of the items.
    return fields.length === 1 && scope.merged ? undefined : targets;
  }
}

function mentions(tree: Tree, name: string): boolean {
  let found = tree.kind === 'RangeVar' && tree.body.relname === name && tree.body.schemaname === undefined;
  eachChild(tree.body, (inner) => {
    found ||= mentions(inner, name);
  });
  return found;
}
