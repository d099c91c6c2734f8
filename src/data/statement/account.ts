// A second look: whatever a statement reads or calls must have been met on the walk. A node that the walk passes over
// (a clause of a new version of Postgres, say) makes the statement untracked; it is never ignored.
import { type Body, eachChild, names, type Tree, text } from './tree.ts';

const counted = new Set(['RangeVar', 'FuncCall', 'SubLink']);

export class Account {
  readonly #met = new Set<Body>();

  meet(body: Body): void {
    this.#met.add(body);
  }

  /** Of an expression that is walked only if its value is used, and not computed otherwise. */
  defer(tree: Tree): void {
    if (counted.has(tree.kind)) this.#met.add(tree.body);
    eachChild(tree.body, (inner) => this.defer(inner));
  }

  /** What was not met, in words. */
  *missing(tree: Tree): Generator<string> {
    if (counted.has(tree.kind) && !this.#met.has(tree.body)) yield described(tree);
    const inside: Tree[] = [];
    eachChild(tree.body, (inner) => void inside.push(inner));
    for (const inner of inside) yield* this.missing(inner);
  }
}

function described({ kind, body }: Tree): string {
  if (kind === 'RangeVar') return text(body, 'relname') ?? '';
  return kind === 'FuncCall' ? `${names(body, 'funcname').join('.')}()` : 'a subquery';
}
