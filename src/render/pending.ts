/** A place in the output that is filled later. Its bytes never reject unseen: its maker handles that. */
export interface Hole {
  readonly at: number;
  readonly bytes: Promise<Buffer>;
}

/** The output with all holes filled. They have been filling at the same time; here they are only waited for. */
export async function fill(written: Buffer, holes: readonly Hole[]): Promise<Buffer> {
  const fillings = await Promise.all(holes.map((hole) => hole.bytes));
  const parts: Buffer[] = [];
  let from = 0;
  for (const [i, hole] of holes.entries()) {
    parts.push(written.subarray(from, hole.at), fillings[i] as Buffer);
    from = hole.at;
  }
  parts.push(written.subarray(from));
  return Buffer.concat(parts);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/**
 * A render that failed leaves promises in the tree that it never came to. When one of them is rejected
 * later there is no listener, and Node ends a process for that; so listen. Not by recursion: the tree may have failed for being deep.
 */
export function abandon(tree: unknown): void {
  const seen = new Set<object>();
  const left: unknown[] = [tree];
  while (left.length > 0) {
    const node = left.pop();
    if (typeof node !== 'object' || node === null || seen.has(node)) continue;
    seen.add(node);
    try {
      if (isThenable(node)) node.then(abandon, () => undefined);
      else for (const value of Object.values(node)) if (typeof value === 'object') left.push(value);
    } catch {
      // A getter that throws; the render has its error already.
    }
  }
}
