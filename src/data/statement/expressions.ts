// Walks expressions: counts the columns they name, and notices what cannot be followed.

import { functionKey, operandsKey, operatorKey } from '../keys/keys.ts';
import type { Catalog, SqlFunction } from '../schema/catalog.ts';
import { aggregateNodes, aggregates, type Called, type Calls, returnsSets } from './calls.ts';
import { type Findings, Refusal } from './findings.ts';
import { builtinTrouble, movingTime, valueFunctionTrouble } from './functions.ts';
import { operationsOf } from './operators.ts';
import { columnNames, find, hasColumn, type Item, type Scope, type Target, type Use } from './scope.ts';
import { type Body, child, children, constant, eachChild, names, part, type Tree, text } from './tree.ts';

export interface Cte {
  readonly query: Tree | undefined;
  readonly columns: readonly string[];
  /** SEARCH or CYCLE adds columns to it. */
  readonly odd: boolean;
  readonly recursive: boolean;
  readonly ctes: ReadonlyMap<string, Cte>;
  /** The scope around the block that defines it. */
  readonly outer: Scope | undefined;
}

/** Where a block stands. */
export interface Place {
  readonly outer: Scope | undefined;
  readonly outerUse: Use;
  readonly ctes: ReadonlyMap<string, Cte>;
  readonly depth: number;
}

/** What lies inside an expression and is not one. */
export interface Inner {
  query(select: Body, scope: Scope, use: Use, place: Place): void;
  call(fn: SqlFunction, name: string, args: number, place: Place): void;
}

const systemColumns = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax']);

/** Nodes whose meaning is that of their parts. Any other is a construct that this walk does not know. */
const composed = new Set(
  `ParamRef A_Expr BoolExpr NullTest BooleanTest CaseExpr CaseWhen CoalesceExpr MinMaxExpr RowExpr A_ArrayExpr
   A_Indirection A_Indices A_Star String Integer List CollateClause SortBy WindowDef NamedArgExpr GroupingSet GroupingFunc ResTarget
   JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor JsonKeyValue JsonValueExpr JsonObjectAgg JsonArrayAgg
   JsonIsPredicate JsonParseExpr JsonScalarExpr JsonSerializeExpr JsonFuncExpr JsonArgument JsonTable JsonTableColumn
   XmlExpr XmlSerialize RangeTableFunc RangeTableFuncCol ColumnDef`.split(/\s+/),
);
export class Expressions {
  private readonly catalog: Catalog;
  private readonly findings: Findings;
  private readonly calls: Calls;
  private readonly inner: Inner;

  constructor(catalog: Catalog, findings: Findings, calls: Calls, inner: Inner) {
    this.catalog = catalog;
    this.findings = findings;
    this.calls = calls;
    this.inner = inner;
  }

  useTarget(target: Target, use: Use, place: Place): void {
    if (target.walked.has(use) || target.walked.has('filter')) return;
    target.walked.add(use);
    if ('expression' in target.from) this.walk(target.from.expression, target.from.scope, use, place);
    else this.useItemColumn(target.from.item, target.from.column, use, place);
  }

  useItem(item: Item, use: Use, place: Place): void {
    for (const column of columnNames(item) ?? []) this.useItemColumn(item, column, use, place);
  }

  useItemColumn(item: Item, name: string, use: Use, place: Place): void {
    if (item.kind === 'scan') {
      const column = item.columns.get(name);
      if (column === undefined) return;
      item.scan[use].add(column);
      const { relation } = item.scan;
      if (relation.columns.get(column)?.namesCatalog === true)
        this.findings.untracked.add(`${relation.name}.${column} is written with names of Postgres' catalog`);
    } else if (item.kind === 'derived') {
      const target = item.targets.get(name);
      if (target !== undefined) this.useTarget(target, use, place);
    }
  }

  useColumn(reference: Body, scope: Scope, use: Use, place: Place, mayBeMissing = false): void {
    const fields = names(reference, 'fields');
    const last = fields[fields.length - 1] ?? '';
    if (systemColumns.has(last)) {
      this.findings.untracked.add(`${last} says where and when a row was stored`);
      return;
    }
    if (last === 'tableoid') return;
    const called = this.calls.notated({ kind: 'ColumnRef', body: reference }, scope);
    if (called.length > 0) this.notation(called, reference, scope, place);
    const acrossRows = called.some((one) => aggregates(one) || returnsSets(one));
    if (fields.length === 1 && last === '*') {
      for (const item of scope.items) this.useItem(item, use, place);
      return;
    }
    const found = find(scope, fields, use);
    let known = false;
    for (const one of found) {
      for (const item of one.items) {
        // What a function makes of a row may come from any column of it.
        if (one.column === undefined || called.length > 0)
          this.useItem(item, acrossRows ? 'filter' : one.use, place);
        if (one.column !== undefined && hasColumn(item, one.column))
          this.useItemColumn(item, one.column, one.use, place);
        else if (one.column !== undefined && called.length === 0) continue;
        known = true;
      }
    }
    if (!known && !mayBeMissing && !scope.lenient) {
      this.findings.untracked.add(`${fields.join('.')} is not a column that the catalog knows`);
    }
  }

  // ------------------------------------------------------------------ expressions

  walk(tree: Tree, scope: Scope, use: Use, place: Place): void {
    const { kind, body } = tree;
    switch (kind) {
      case 'ColumnRef':
        this.useColumn(body, scope, use, place);
        return;
      case 'A_Const':
        if (movingTime.test(constant(tree) ?? '')) {
          this.findings.untracked.add(`the constant '${constant(tree)}' may mean a moving time`);
        }
        return;
      case 'SubLink':
        this.subLink(tree, scope, use, place);
        return;
      case 'SelectStmt':
        this.inner.query(body, scope, use, place);
        return;
      case 'FuncCall':
        this.call(tree, scope, use, place);
        return;
      case 'SQLValueFunction': {
        const trouble = valueFunctionTrouble(text(body, 'op') ?? '');
        if (trouble !== undefined) this.findings.untracked.add(trouble);
        return;
      }
      case 'TypeCast':
      case 'XmlSerialize':
      case 'JsonTableColumn':
      case 'ColumnDef':
      case 'RangeTableFuncCol':
        this.checkCast(part(body, 'typeName') ?? {});
        break;
      case 'A_Expr':
      case 'CaseExpr':
      case 'SortBy':
        this.checkOperators(tree);
        break;
      default:
        if (!composed.has(kind)) this.findings.untracked.add(`${kind} is not understood`);
    }
    if (kind.startsWith('Json')) this.checkJson(kind);
    // RETURNING of the functions of JSON.
    const returned = part(
      part(body, 'output') ?? part(part(body, 'constructor') ?? {}, 'output') ?? {},
      'typeName',
    );
    if (returned !== undefined) this.checkCast(returned);
    const called = this.calls.notated(tree, scope);
    this.notation(called, body, scope, place);
    const acrossRows =
      aggregateNodes.has(kind) ||
      this.calls.overWindow(tree) ||
      called.some((one) => aggregates(one) || returnsSets(one));
    eachChild(body, (below) => this.walk(below, scope, acrossRows ? 'filter' : use, place));
  }

  private notation(called: readonly Called[], body: Body, scope: Scope, place: Place): void {
    for (const one of called) {
      this.follow(one, 1, place);
      if (aggregates(one)) this.checkOwner(body, scope);
    }
  }

  private follow({ name, builtin, own }: Called, args: number, place: Place): void {
    const trouble = builtin === undefined ? undefined : builtinTrouble(name, builtin, args);
    if (trouble !== undefined) this.findings.untracked.add(trouble);
    if (/json/i.test(name)) this.checkJson(name);
    if (/populate_record/.test(name) && this.catalog.impureCasts.size > 0)
      this.findings.untracked.add(`${name}() may check a domain by a function that is not immutable`);
    if (builtin !== undefined) this.findings.definitions.add(functionKey('pg_catalog', name));
    for (const fn of own) this.inner.call(fn, name, args, place);
  }

  private subLink(tree: Tree, scope: Scope, use: Use, place: Place): void {
    const { body } = tree;
    this.findings.account.meet(body);
    this.checkOperators(tree);
    const test = child(body, 'testexpr');
    if (test !== undefined) this.walk(test, scope, use, place);
    const query = child(body, 'subselect');
    if (query?.kind !== 'SelectStmt') throw new Refusal('a subquery writes');
    this.inner.query(query.body, scope, use, place);
  }

  private call(tree: Tree, scope: Scope, use: Use, place: Place): void {
    const { body } = tree;
    this.findings.account.meet(body);
    const called = this.calls.functionOf(body);
    const { schema, name, builtin, own } = called;
    this.follow(called, children(body, 'args').length, place);
    if (builtin === undefined && own.length === 0 && schema !== 'pg_catalog') {
      // A cast may be written as a call.
      if (!this.checkType(names(body, 'funcname'))) this.findings.untracked.add(`${name}() is not known`);
      for (const key of this.calls.keysToCome(schema, name)) this.findings.definitions.add(key);
    }
    const aggregate = this.calls.isAggregate(tree);
    if (aggregate && !this.calls.overWindow(tree)) this.checkOwner(body, scope);
    const inner = aggregate || this.calls.overWindow(tree) || this.calls.returnsSet(tree) ? 'filter' : use;
    eachChild(body, (below) => this.walk(below, scope, inner, place));
  }

  private checkOwner(body: Body, scope: Scope): void {
    if (scope.parent !== undefined && this.belongsOutside(body, scope)) this.findings.outerAggregate = true;
  }

  /** An aggregate is of the innermost block that its arguments name a column of. */
  private belongsOutside(body: Body, scope: Scope): boolean {
    let own = false;
    let any = false;
    const visit = (tree: Tree): void => {
      if (tree.kind === 'ColumnRef') {
        any = true;
        if (find(scope, names(tree.body, 'fields'), 'filter').some((found) => found.depth === 0)) own = true;
      }
      eachChild(tree.body, visit);
    };
    visit({ kind: Array.isArray(body.fields) ? 'ColumnRef' : '', body });
    return any && !own;
  }

  /** USING and NATURAL compare by it. */
  checkEquality(): void {
    this.checkPure('=');
  }

  private checkPure(name: string): void {
    if (this.catalog.impureOperators.has(name))
      this.findings.untracked.add(`the operator ${name} may call a function that is not immutable`);
  }

  checkOperators(tree: Tree): void {
    for (const { name, operands } of operationsOf(tree)) {
      this.checkPure(name);
      if (this.catalog.builtinOperators.has(name)) {
        this.findings.definitions.add(operandsKey(name, operands));
        continue;
      }
      this.findings.definitions.add(operatorKey(name));
      if (!this.catalog.operators.has(name)) this.findings.untracked.add(`the operator ${name} is not known`);
    }
  }

  /** What makes JSON casts to it where there is such a cast, and the statement does not ask for it by name. */
  private checkJson(name: string): void {
    if (this.catalog.impureCasts.has('json'))
      this.findings.untracked.add(`${name} may call a cast to json that is not immutable`);
  }

  private checkCast(type: Body): void {
    this.checkType(names(type, 'names'));
  }

  /** False: it is no type of the application's own. */
  private checkType(path: readonly string[]): boolean {
    const name = path[path.length - 1] ?? '';
    if (this.catalog.impureCasts.has(name)) {
      this.findings.untracked.add(`a cast to ${name} may call a function that is not immutable`);
    }
    // Without a date the offset of its zone is today's.
    if (name === 'timetz') this.findings.untracked.add('a cast to timetz depends on the day');
    if (this.catalog.catalogTypes.has(name))
      this.findings.untracked.add(`a cast to ${name} reads Postgres' catalog`);
    const keys = this.calls.typesOf(path);
    for (const key of keys) this.findings.definitions.add(key);
    return keys.length > 0;
  }
}
