// What the calls in a statement are: functions of Postgres' or of the application, aggregates, windows, sets.
import type { DependencyKey } from '../../core/units.ts';
import { functionKey } from '../keys/keys.ts';
import type { Builtin, Catalog, SqlFunction } from '../schema/catalog.ts';
import { find, hasColumn, type Scope } from './scope.ts';
import { type Body, child, children, eachChild, names, part, type Tree } from './tree.ts';

export const aggregateNodes = new Set(['JsonObjectAgg', 'JsonArrayAgg', 'GroupingFunc']);

/** What a SELECT does with the rows of its FROM. */
export interface Shape {
  /** A row of the result for each row, computed from that row. */
  readonly rowwise: boolean;
  readonly limited: boolean;
  readonly windows: boolean;
}

/** The functions that a name may stand for in a call; overloads are not told apart. */
export interface Called {
  readonly schema: string | undefined;
  readonly name: string;
  readonly builtin: Builtin | undefined;
  readonly own: readonly SqlFunction[];
}

export const aggregates = ({ builtin, own }: Called): boolean =>
  builtin?.aggregate === true || own.some((fn) => fn.kind === 'aggregate');

export const returnsSets = ({ builtin, own }: Called): boolean =>
  builtin?.set === true || own.some((fn) => fn.returnsSet);

/** Beyond doubt: of an item whose columns are known. */
function isColumn(scope: Scope, fields: readonly string[], name: string): boolean {
  return find(scope, fields, 'filter').some(({ items }) =>
    items.some((item) => (item.kind !== 'opaque' || item.names !== undefined) && hasColumn(item, name)),
  );
}

export class Calls {
  private readonly catalog: Catalog;
  private readonly path: readonly string[];

  constructor(catalog: Catalog, path: readonly string[]) {
    this.catalog = catalog;
    this.path = path;
  }

  shapeOf(select: Body, scope: Scope): Shape {
    const targets = children(select, 'targetList');
    const seen = { aggregate: false, set: false, window: false };
    for (const target of targets) this.inspect(target, scope, seen);
    const grouped =
      seen.aggregate ||
      children(select, 'groupClause').length > 0 ||
      child(select, 'havingClause') !== undefined ||
      Array.isArray(select.distinctClause);
    return {
      rowwise: !grouped && !seen.set,
      limited: child(select, 'limitCount') !== undefined || child(select, 'limitOffset') !== undefined,
      windows: seen.window,
    };
  }

  /** Aggregates, windows and functions that return sets, outside of subqueries. */
  private inspect(
    tree: Tree,
    scope: Scope,
    seen: { aggregate: boolean; set: boolean; window: boolean },
  ): void {
    if (tree.kind === 'SubLink' || tree.kind === 'SelectStmt') return;
    for (const called of this.notated(tree, scope)) {
      if (aggregates(called)) seen.aggregate = true;
      if (returnsSets(called)) seen.set = true;
    }
    if (tree.kind === 'FuncCall' || tree.kind.startsWith('Json')) {
      const over = this.overWindow(tree);
      if (over) seen.window = true;
      else if (this.isAggregate(tree)) seen.aggregate = true;
      if (this.returnsSet(tree)) seen.set = true;
    } else if (aggregateNodes.has(tree.kind)) seen.aggregate = true;
    eachChild(tree.body, (inner) => this.inspect(inner, scope, seen));
  }

  overWindow(tree: Tree): boolean {
    return (
      part(tree.body, 'over') !== undefined ||
      part(part(tree.body, 'constructor') ?? {}, 'over') !== undefined
    );
  }

  isAggregate(tree: Tree): boolean {
    if (aggregateNodes.has(tree.kind)) return true;
    if (tree.kind !== 'FuncCall') return false;
    const called = this.functionOf(tree.body);
    return aggregates(called) || called.name === '';
  }

  returnsSet(tree: Tree): boolean {
    return tree.kind === 'FuncCall' && returnsSets(this.functionOf(tree.body));
  }

  /**
   * Functions that `x.name` and `(x).name` call where `x` has no such column or field: any of that name which takes
   * one argument, aggregates and sets among them. Of `(x).name` it is not known what fields there are.
   */
  notated(tree: Tree, scope: Scope): Called[] {
    if (tree.kind === 'A_Indirection') {
      return children(tree.body, 'indirection').flatMap((step) =>
        step.kind === 'String' ? this.ofOneArgument(String(step.body.sval)) : [],
      );
    }
    if (tree.kind !== 'ColumnRef') return [];
    const fields = names(tree.body, 'fields');
    const name = fields[fields.length - 1] ?? '';
    if (fields.length < 2 || name === '*') return [];
    const called = this.ofOneArgument(name);
    return called.length > 0 && isColumn(scope, fields, name) ? [] : called;
  }

  private ofOneArgument(name: string): Called[] {
    const known = this.catalog.builtins.get(name);
    const builtin = known?.unary === true ? known : undefined;
    const own = this.catalog
      .functionsNamed(undefined, name, this.path)
      .filter((fn) => fn.fewestArgs <= 1 && fn.mostArgs >= 1);
    return builtin === undefined && own.length === 0 ? [] : [{ schema: undefined, name, builtin, own }];
  }

  functionOf(body: Body): Called {
    const path = names(body, 'funcname');
    const name = path[path.length - 1] ?? '';
    const schema = path.length > 1 ? path[path.length - 2] : undefined;
    const builtin =
      schema === undefined || schema === 'pg_catalog' ? this.catalog.builtins.get(name) : undefined;
    return { schema, name, builtin, own: this.catalog.functionsNamed(schema, name, this.path) };
  }

  /** The keys that tell of the types that a name may stand for. */
  typesOf(path: readonly string[]): readonly DependencyKey[] {
    const schema = path.length > 1 ? path[path.length - 2] : undefined;
    return this.catalog.typesNamed(schema, path[path.length - 1] ?? '', this.path);
  }

  /** The keys that will tell of a function by this name, should one come up. */
  keysToCome(schema: string | undefined, name: string): readonly DependencyKey[] {
    return this.catalog.schemasToCome(schema, this.path).map((each) => functionKey(each, name));
  }
}
