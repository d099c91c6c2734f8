// What the calls in a statement are: functions of Postgres' or of the application, aggregates, windows, sets.
import type { DependencyKey } from '../../core/units.ts';
import type { Catalog } from '../catalog.ts';
import { functionKey } from '../keys.ts';
import { type Body, child, children, eachChild, names, part, type Tree } from './tree.ts';

export const aggregateNodes = new Set(['JsonObjectAgg', 'JsonArrayAgg', 'GroupingFunc']);

/** What a SELECT does with the rows of its FROM. */
export interface Shape {
  /** A row of the result for each row, computed from that row. */
  readonly rowwise: boolean;
  readonly limited: boolean;
  readonly windows: boolean;
}

export class Calls {
  private readonly catalog: Catalog;
  private readonly searchPath: readonly string[] | undefined;

  constructor(catalog: Catalog, searchPath: readonly string[] | undefined) {
    this.catalog = catalog;
    this.searchPath = searchPath;
  }

  shapeOf(select: Body): Shape {
    const targets = children(select, 'targetList');
    const seen = { aggregate: false, set: false, window: false };
    for (const target of targets) this.inspect(target, seen);
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
  private inspect(tree: Tree, seen: { aggregate: boolean; set: boolean; window: boolean }): void {
    if (tree.kind === 'SubLink' || tree.kind === 'SelectStmt') return;
    if (tree.kind === 'FuncCall' || tree.kind.startsWith('Json')) {
      const over = this.overWindow(tree);
      if (over) seen.window = true;
      else if (this.isAggregate(tree)) seen.aggregate = true;
      if (this.returnsSet(tree)) seen.set = true;
    } else if (aggregateNodes.has(tree.kind)) seen.aggregate = true;
    eachChild(tree.body, (inner) => this.inspect(inner, seen));
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
    const { schema, name, builtin, own } = this.functionOf(tree.body);
    return (
      (schema !== undefined && schema !== 'pg_catalog' ? false : (builtin?.aggregate ?? false)) ||
      own.some((fn) => fn.kind === 'aggregate') ||
      name === ''
    );
  }

  returnsSet(tree: Tree): boolean {
    if (tree.kind !== 'FuncCall') return false;
    const { builtin, own } = this.functionOf(tree.body);
    return (builtin?.set ?? false) || own.some((fn) => fn.returnsSet);
  }

  functionOf(body: Body) {
    const path = names(body, 'funcname');
    const name = path[path.length - 1] ?? '';
    const schema = path.length > 1 ? path[path.length - 2] : undefined;
    const builtin =
      schema === undefined || schema === 'pg_catalog' ? this.catalog.builtins.get(name) : undefined;
    return { schema, name, builtin, own: this.catalog.functionsNamed(schema, name, this.searchPath) };
  }

  /** The keys that will tell of a function by this name, should one come up. */
  keysToCome(schema: string | undefined, name: string): readonly DependencyKey[] {
    return this.catalog.schemasToCome(schema, this.searchPath).map((each) => functionKey(each, name));
  }
}
