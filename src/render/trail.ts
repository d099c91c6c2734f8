/**
 * The way from the root to a node: a tag for an element (`tr.td` within a template), a number for a place in a list,
 * `()` for a call, `Card()` for that of a component.
 */
export type Trail = (string | number)[];

export const call = '()';

/** `root.div.children[3].p`: how the author of the tree would write it. */
export function pathOf(trail: Trail, length: number): string {
  let path = 'root';
  let inElement = false;
  for (const step of trail.slice(0, length)) {
    if (inElement && step !== call) path += '.children';
    if (typeof step === 'number') path += `[${step}]`;
    else if (step === call) path += call;
    else path += `.${step.slice(0, 60)}`;
    inElement = typeof step === 'string' && !step.endsWith(call);
  }
  return path;
}

/** The same without the numbers: one place in the code of a view, whichever row stands there. */
export function placeOf(trail: Trail, length: number): string {
  return pathOf(trail, length).replace(/\[\d+\]/g, '[]');
}

/** Whether a tree that is too deep is so because it contains itself. Calls nothing, so it sees plain data only. */
export function isCyclic(node: unknown): boolean {
  const done = new Set<object>();
  const onTheWay = new Set<object>();
  const way: { node: object; rest: unknown[] }[] = [];
  const enter = (next: unknown): boolean => {
    if (typeof next !== 'object' || next === null || done.has(next)) return false;
    if (onTheWay.has(next)) return true;
    onTheWay.add(next);
    way.push({ node: next, rest: Object.values(next) });
    return false;
  };
  if (enter(node)) return true;
  for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
    if (last.rest.length > 0) {
      if (enter(last.rest.pop())) return true;
    } else {
      way.pop();
      onTheWay.delete(last.node);
      done.add(last.node);
    }
  }
  return false;
}
