import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DependencyGraph } from './graph.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const edge = fc.tuple(key, key);

/** By definition: go on until nothing is added any more. */
function closure(edges: readonly (readonly [string, string])[], from: readonly string[]): string[] {
  const reached = new Set(from);
  for (let size = -1; size !== reached.size; ) {
    size = reached.size;
    for (const [to, on] of edges) if (reached.has(on)) reached.add(to);
  }
  return [...reached].sort();
}

describe('DependencyGraph', () => {
  it('closes over declared edges as their definition says, cycles included, both ways', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ edge, remove: fc.boolean() })), fc.uniqueArray(key), (steps, from) => {
        const graph = new DependencyGraph();
        let edges: (readonly [string, string])[] = [];
        for (const { edge, remove } of steps) {
          edges = edges.filter(([to, on]) => to !== edge[0] || on !== edge[1]);
          if (remove) graph.removeDependency(...edge);
          else {
            graph.addDependency(...edge);
            edges.push(edge);
          }
        }
        expect(graph.edges).toBe(edges.length);
        expect(graph.dependents(from).sort()).toEqual(closure(edges, from));
        const turned = edges.map(([to, on]) => [on, to] as const);
        expect([...graph.sources(from)].sort()).toEqual(closure(turned, from));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes what was read of a row for the row, where something was declared of it', () => {
    const graph = new DependencyGraph();
    expect(graph.sources(['users#17{}', 'users#17{name}'])).toEqual(['users#17{}', 'users#17{name}']);
    graph.addDependency('users#17', 'weather:berlin');
    expect(graph.sources(['users#17{}', 'users#17{name}'])).toEqual([
      'users#17{}',
      'users#17{name}',
      'weather:berlin',
    ]);
  });

  it('follows a chain of 50,000 edges that bites its own tail', () => {
    const graph = new DependencyGraph();
    for (let index = 0; index < 50_000; index++) graph.addDependency(`k${index}`, `k${(index + 1) % 50_000}`);
    expect(graph.dependents(['k7'])).toHaveLength(50_000);
  });

  it('refuses edges without end', () => {
    const graph = new DependencyGraph(2);
    graph.addDependency('a', 'b');
    graph.addDependency('a', 'b');
    graph.addDependency('b', 'c');
    expect(() => graph.addDependency('c', 'd')).toThrow(
      expect.objectContaining({ code: 'E_TOO_MANY_EDGES' }),
    );
    graph.removeDependency('a', 'b');
    graph.addDependency('c', 'd');
    expect(graph.edges).toBe(2);
  });
});
