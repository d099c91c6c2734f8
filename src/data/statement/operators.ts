// The operators of a statement, with as much of their operands as decides whether one that comes up later under the same
// name can be meant instead: of a literal Postgres takes for its type what an operator has to offer, of all else it knows it.
import type { Operand } from '../keys/keys.ts';
import { type Body, child, children, items, names, part, type Tree } from './tree.ts';

interface Operation {
  readonly name: string;
  readonly operands: readonly Operand[];
}

const betweens: Readonly<Record<string, readonly string[]>> = {
  AEXPR_BETWEEN: ['>=', '<='],
  AEXPR_NOT_BETWEEN: ['<', '>'],
  AEXPR_BETWEEN_SYM: ['>=', '<='],
  AEXPR_NOT_BETWEEN_SYM: ['<', '>'],
};

/** Of an expression, a subquery that is compared with something, a CASE of values, or a sort that names its operator. */
export function operationsOf({ kind, body }: Tree): Operation[] {
  if (kind === 'SubLink') {
    const written = names(body, 'operName').slice(-1);
    const called = body.subLinkType === 'ANY_SUBLINK' && written.length === 0 ? ['='] : written;
    return operations(called, pairs(child(body, 'testexpr'), null));
  }
  if (kind === 'CaseExpr') {
    const tested = child(body, 'arg');
    const answers = children(body, 'args').map((when) => child(when.body, 'expr'));
    return tested === undefined
      ? []
      : operations(
          ['='],
          answers.flatMap((answer) => pairs(tested, answer)),
        );
  }
  if (kind === 'SortBy') {
    const sorted = child(body, 'node');
    return operations(names(body, 'useOp').slice(-1), pairs(sorted, sorted));
  }
  const between = betweens[String(body.kind)];
  const [left, right] = [child(body, 'lexpr'), child(body, 'rexpr')];
  const operands: Operand[][] =
    left === undefined || right === undefined ? [[operand(left ?? right)]] : pairs(left, right);
  return operations(between ?? names(body, 'name').slice(-1), operands);
}

const operations = (called: readonly string[], operands: readonly Operand[][]): Operation[] =>
  called.flatMap((name) => operands.map((each) => ({ name, operands: each })));

/** Rows are compared field by field, a list item by item. Null: the rows of a subquery. */
function pairs(left: Tree | undefined | null, right: Tree | undefined | null): Operand[][] {
  const [fields, others] = [fieldsOf(left), fieldsOf(right)];
  const longer = fields.length > others.length ? fields : others;
  return [
    [operand(left), operand(right)],
    ...items(right ?? undefined).flatMap((item) => pairs(left, item)),
    ...longer.flatMap((_, i) => pairs(fields[i], others[i])),
  ];
}

const fieldsOf = (tree: Tree | undefined | null): readonly Tree[] =>
  tree?.kind === 'RowExpr' ? children(tree.body, 'args') : [];

function operand(tree: Tree | undefined | null): Operand {
  return tree && isOpen(tree) ? '?' : '_';
}

function isOpen({ kind, body }: Tree): boolean {
  switch (kind) {
    case 'ParamRef':
      return true;
    case 'A_Const':
      return body.isnull === true || part(body, 'sval') !== undefined;
    case 'CollateClause':
      return operand(child(body, 'arg')) === '?';
    case 'TypeCast':
      return namesType(body, 'unknown');
    default:
      return false;
  }
}

const namesType = (cast: Body, type: string): boolean =>
  names(part(cast, 'typeName') ?? {}, 'names').includes(type);
