// The output columns of a block: their names, and the columns of tables that they show.
import { columnNames, find, type Item, type Scan, type Target, type Use } from './scope.ts';
import { child, names, type Tree } from './tree.ts';

const fixedNames = new Map([
  ['CoalesceExpr', 'coalesce'],
  ['A_ArrayExpr', 'array'],
  ['RowExpr', 'row'],
  ...['A_Expr', 'BoolExpr', 'A_Const', 'ParamRef', 'NullTest', 'BooleanTest'].map(
    (kind) => [kind, '?column?'] as const,
  ),
]);

/** The name Postgres gives an output column without AS; '' where that takes more than a look. */
export function outputName(value: Tree): string {
  if (value.kind === 'ColumnRef' || value.kind === 'FuncCall') {
    const path = names(value.body, value.kind === 'ColumnRef' ? 'fields' : 'funcname');
    return path[path.length - 1] ?? '';
  }
  if (value.kind === 'TypeCast') {
    const inner = child(value.body, 'arg');
    if (inner?.kind === 'ColumnRef' || inner?.kind === 'FuncCall') return outputName(inner);
  }
  return fixedNames.get(value.kind) ?? '';
}

export const unique = (targets: readonly Target[]): boolean =>
  new Set(targets.map((target) => target.name)).size === targets.length;

/** Seen from outside, the columns of a set operation are of no table. */
export function opaqueTargets(targets: readonly Target[] | undefined): Target[] | undefined {
  const item: Item = { kind: 'opaque', alias: '', names: undefined };
  return targets?.map((target) => ({
    name: target.name,
    from: { item, column: '' },
    walked: new Set<Use>(),
  }));
}

export function baseOf(target: Target): { scan: Scan; column: string } | undefined {
  if (!('expression' in target.from)) return baseOfItem(target.from.item, target.from.column);
  const { expression, scope } = target.from;
  if (expression.kind !== 'ColumnRef') return undefined;
  const found = find(scope, names(expression.body, 'fields'), 'filter');
  const [only] = found;
  const [item] = only?.items ?? [];
  if (found.length !== 1 || only?.depth !== 0 || only.column === undefined || only.items.length !== 1)
    return undefined;
  return item === undefined ? undefined : baseOfItem(item, only.column);
}

export function baseOfItem(item: Item, name: string): { scan: Scan; column: string } | undefined {
  if (item.kind === 'scan') {
    const column = item.columns.get(name);
    return column === undefined ? undefined : { scan: item.scan, column };
  }
  const target = item.kind === 'derived' ? item.targets.get(name) : undefined;
  return target === undefined ? undefined : baseOf(target);
}

export function commonNames(left: readonly Item[], right: readonly Item[]): string[] | undefined {
  const names = new Set<string>();
  for (const item of left) {
    const columns = columnNames(item);
    if (columns === undefined) return undefined;
    for (const column of columns) names.add(column);
  }
  const common: string[] = [];
  for (const item of right) {
    const columns = columnNames(item);
    if (columns === undefined) return undefined;
    common.push(...columns.filter((column) => names.has(column)));
  }
  return common;
}
