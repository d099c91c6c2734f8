// Reading the parser's JSON. A node is an object with one field, the node's kind, around the node's body;
// bodies hold nodes, lists of nodes, plain values, and here and there an unwrapped body.

export interface Body {
  readonly [field: string]: unknown;
}

/** A node taken apart. */
export interface Tree {
  readonly kind: string;
  readonly body: Body;
}

const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Undefined for what is not a node: an absent field, an empty list item. */
export function asTree(value: unknown): Tree | undefined {
  if (!isObject(value)) return undefined;
  const [kind] = Object.keys(value);
  if (kind === undefined) return undefined;
  const body = value[kind];
  return isObject(body) ? { kind, body } : undefined;
}

export const child = (body: Body, field: string): Tree | undefined => asTree(body[field]);

/** A field that holds a body without its kind around it (`alias`, `over`, `typeName`, `larg`). */
export function part(body: Body, field: string): Body | undefined {
  const value = body[field];
  return isObject(value) ? value : undefined;
}

export function children(body: Body, field: string): Tree[] {
  const value = body[field];
  return Array.isArray(value) ? value.flatMap((item) => asTree(item) ?? []) : [];
}

export function text(body: Body, field: string): string | undefined {
  const value = body[field];
  return typeof value === 'string' ? value : undefined;
}

/** A list of String nodes: qualified names, column aliases. A star is `'*'` inside a field list only. */
export function names(body: Body, field: string): string[] {
  return children(body, field).map((node) =>
    node.kind === 'A_Star' ? '*' : (text(node.body, 'sval') ?? ''),
  );
}

/** Items of a List node, or of a list in parentheses. */
export function items(tree: Tree | undefined): Tree[] {
  return tree?.kind === 'List' ? children(tree.body, 'items') : [];
}

/** Calls `found` for each node directly below, whatever the depth of plain structure between. */
export function eachChild(body: Body, found: (tree: Tree) => void): void {
  for (const [field, value] of Object.entries(body)) {
    if (isObject(value) || Array.isArray(value)) visitValue(field, value, found);
  }
}

function visitValue(field: string, value: unknown, found: (tree: Tree) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visitValue('', item, found);
    return;
  }
  if (!isObject(value)) return;
  if (/^[A-Z]/.test(field)) {
    found({ kind: field, body: value });
    return;
  }
  for (const [inner, below] of Object.entries(value)) visitValue(inner, below, found);
}

/** A constant's value as text; null for NULL, undefined for what is not a plain constant. */
export function constant(tree: Tree): string | null | undefined {
  if (tree.kind !== 'A_Const') return undefined;
  if (tree.body.isnull === true) return null;
  const [kind] = Object.keys(tree.body);
  const value = kind === undefined ? undefined : part(tree.body, kind);
  // Protobuf leaves out what has its default: 0, false, the empty string.
  switch (kind) {
    case 'ival':
      return String(value?.ival ?? 0);
    case 'boolval':
      return value?.boolval === true ? 'true' : 'false';
    case 'sval':
    case 'fval':
      return String(value?.[kind] ?? '');
    default:
      return undefined;
  }
}
