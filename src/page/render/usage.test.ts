import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { type Rendered, RenderUsage } from './usage.ts';

let clock: ManualClock;
let usage: RenderUsage;

beforeEach(() => {
  clock = new ManualClock();
  usage = new RenderUsage({ clock, slowRenderMs: 10, componentSample: 4 });
});

const rendered = (parts: Partial<Rendered> = {}): Rendered => ({
  kind: 'page',
  name: '/',
  durationMs: 5,
  reason: 'miss',
  loadMs: 3,
  htmlBytes: 100,
  dependencies: 2,
  failed: false,
  ...parts,
});

describe('what renders cost', () => {
  it('is counted by route and by fragment', () => {
    usage.rendered(rendered());
    usage.rendered(rendered({ failed: true, htmlBytes: 0 }));
    usage.rendered(rendered({ kind: 'fragment', name: 'card' }));
    usage.fragment('card').hits += 3;
    const { pages, fragments } = usage.stats();
    expect(pages).toMatchObject([
      { route: '/', failures: 1, htmlBytes: 100, durations: { count: 2, sumMs: 10 } },
    ]);
    expect(fragments).toMatchObject([{ fragment: 'card', hits: 3, htmlBytes: 100, durations: { count: 1 } }]);
  });

  it('remembers slow renders, the newest first, and no more than it may', () => {
    usage.rendered(rendered({ durationMs: 10 }));
    for (let ms = 11; ms < 111; ms++) usage.rendered(rendered({ durationMs: ms }));
    const { slowRenders, pages } = usage.stats();
    expect(pages[0]?.slow).toBe(100);
    expect(slowRenders).toHaveLength(50);
    expect(slowRenders[0]).toMatchObject({ durationMs: 110, reason: 'miss', loadMs: 3, atMs: clock.now() });
  });

  it('times components in one render of so many, by the names of their functions', () => {
    const watches = Array.from({ length: 8 }, () => usage.componentWatch());
    expect(watches.map((watch) => watch !== undefined)).toEqual([
      ...[true, false, false, false],
      ...[true, false, false, false],
    ]);
    const Badge = () => {
      clock.advance(2);
      return 'x';
    };
    expect(watches[0]?.(Badge)).toBe('x');
    expect(() => watches[0]?.(() => JSON.parse('no'))).toThrow();
    expect(usage.stats().components).toEqual([
      { component: 'Badge', calls: 1, totalMs: 2 },
      { component: '(anonymous)', calls: 1, totalMs: 0 },
    ]);
  });

  it('tells so many names of components apart, and counts the rest together', () => {
    const watch = usage.componentWatch();
    for (let index = 0; index < 600; index++)
      watch?.(Object.defineProperty(() => 1, 'name', { value: `C${index}` }));
    const { components } = usage.stats();
    expect(components).toHaveLength(501);
    expect(components.find(({ component }) => component === '(other)')?.calls).toBe(100);
  });
});
