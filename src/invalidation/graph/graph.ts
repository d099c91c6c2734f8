// What depends on what among keys, as the application declares it: `addDependency('user:1:profile', 'user:1:posts')`
// says that whatever was made from the profile is out of date when the posts change. Cycles are fine.
//
// Declared edges are closed over twice, so that no process needs to know them but the one that acts:
// - a render adds to its keys all that they depend on (`sources`). This alone keeps pages right, whatever purges
// - a purge adds to its keys all that depend on them (`dependents`): watchers and caches outside know only those, and
//   what was rendered before the edge was declared is reached, too
import { rowOf } from '../../core/row-keys.ts';
import type { DependencyKey } from '../../core/units.ts';
import { TooManyEdgesError } from '../errors.ts';

const MAX_EDGES = 100_000;

type Edges = Map<DependencyKey, Set<DependencyKey>>;

export class DependencyGraph {
  readonly #maxEdges: number;
  /** From a key to those it depends on, and back. */
  readonly #sources: Edges = new Map();
  readonly #dependents: Edges = new Map();
  #edges = 0;

  constructor(maxEdges = MAX_EDGES) {
    this.#maxEdges = maxEdges;
  }

  get edges(): number {
    return this.#edges;
  }

  /** A purge of `dependsOn` purges `key`, too. Errors: `E_TOO_MANY_EDGES`. */
  addDependency(key: DependencyKey, dependsOn: DependencyKey): void {
    if (this.#sources.get(key)?.has(dependsOn) === true) return;
    if (this.#edges >= this.#maxEdges) throw new TooManyEdgesError(this.#maxEdges);
    link(this.#sources, key, dependsOn);
    link(this.#dependents, dependsOn, key);
    this.#edges++;
  }

  removeDependency(key: DependencyKey, dependsOn: DependencyKey): void {
    if (!unlink(this.#sources, key, dependsOn)) return;
    unlink(this.#dependents, dependsOn, key);
    this.#edges--;
  }

  /** The keys and all that depend on them, without repeats: what a purge of them purges. */
  dependents(keys: Iterable<DependencyKey>): DependencyKey[] {
    return reach(this.#dependents, keys);
  }

  /**
   * The keys (without repeats) and all that they depend on: what an entry made from them is made from. What is made from a
   * column of a row depends on what the row does.
   */
  sources(keys: readonly DependencyKey[]): readonly DependencyKey[] {
    if (this.#edges === 0) return keys;
    const given = new Set(keys);
    const rows = new Set(keys.flatMap((key) => rowOf(key) ?? []).filter((row) => !given.has(row)));
    return reach(this.#sources, [...keys, ...rows]).filter((key) => !rows.has(key));
  }
}

function link(edges: Edges, from: DependencyKey, to: DependencyKey): void {
  const targets = edges.get(from);
  if (targets === undefined) edges.set(from, new Set([to]));
  else targets.add(to);
}

function unlink(edges: Edges, from: DependencyKey, to: DependencyKey): boolean {
  const targets = edges.get(from);
  if (targets?.delete(to) !== true) return false;
  if (targets.size === 0) edges.delete(from);
  return true;
}

/** Without recursion: a chain of edges may be as long as there are edges. */
function reach(edges: Edges, from: Iterable<DependencyKey>): DependencyKey[] {
  const reached = new Set(from);
  // A set is walked in the order of entry, also over what enters on the way.
  for (const key of reached) for (const next of edges.get(key) ?? []) reached.add(next);
  return [...reached];
}
