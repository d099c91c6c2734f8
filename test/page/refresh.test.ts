import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { Dependencies } from '../../src/invalidation/graph/dependencies.ts';
import { page } from '../../src/page/definitions/page.ts';
import { explainUrl } from '../../src/worker/operations/explain.ts';
import { until } from '../support/redis.ts';
import { silent } from '../support/silent.ts';
import { startSite } from '../support/site.ts';

let site: Awaited<ReturnType<typeof startSite>> | undefined;
afterEach(() => site?.close());

let renders: string[] = [];

function counted(name: string, cache = {}) {
  return page({
    params: { id: z.string() },
    cache,
    load: ({ params, dependsOn }) => {
      renders.push(`${name} ${params.id}`);
      dependsOn(`item:${params.id}`, 'items');
      return { id: params.id };
    },
    view: ({ id }) => ({ p: `${name} ${id}` }),
  });
}

async function start(maxRefreshes = 10) {
  renders = [];
  const dependencies = new Dependencies({ clock: systemClock, logger: silent, maxRefreshes });
  const running = await startSite({
    dependencies,
    pages: { 'hot/[id]': counted('hot'), 'cold/[id]': counted('cold', { refresh: false }) },
  });
  site = running;
  const visit = async (path: string, times: number) => {
    for (let time = 0; time < times; time++) await (await fetch(`${running.origin}${path}`)).text();
  };
  return { ...running, dependencies, visit };
}

describe('after a purge', () => {
  it('a page that people ask for is there again before the next of them', async () => {
    const { visit, purge, cache } = await start();
    await visit('/hot/1', 5);
    await visit('/hot/2', 1);
    await visit('/cold/3', 5);
    expect(renders).toEqual(['hot 1', 'hot 2', 'cold 3']);
    purge('items');
    await until(() => renders.length === 4 && cache.stats().background.done === 1);
    // Not the one that nobody came back to, and not the one that does not want it.
    expect(renders.at(-1)).toBe('hot 1');
    await visit('/hot/1', 3);
    expect(renders).toHaveLength(4);
    expect(cache.stats().l1.entries).toBe(1);
  });

  it('a page that nobody has read since is not made time and again', async () => {
    const { visit, purge, cache, dependencies } = await start();
    await visit('/hot/1', 5);
    purge('items');
    await until(() => cache.stats().background.done === 1);
    purge('items');
    await until(() => dependencies.stats().entries === 0);
    expect(renders).toHaveLength(2);
  });

  it('a page is purged by what its keys depend on as declared', async () => {
    const { visit, purge, dependencies } = await start(0);
    dependencies.addDependency('item:1', 'stock');
    await visit('/hot/1', 3);
    await visit('/hot/2', 3);
    purge('stock');
    await visit('/hot/1', 1);
    await visit('/hot/2', 1);
    expect(renders).toEqual(['hot 1', 'hot 2', 'hot 1']);
  });
});

describe('explain', () => {
  it('tells of an address its page, its keys, and where it lies', async () => {
    const { visit, purge, pipeline, cache } = await start(0);
    expect(await explainUrl('/nowhere', pipeline, cache)).toBeUndefined();
    expect(await explainUrl('/hot/1', pipeline, cache)).toMatchObject({
      route: '/hot/[id]',
      keys: [],
      tiers: [],
    });
    expect(renders).toEqual([]);
    await visit('/hot/1', 1);
    expect(await explainUrl('/hot/1', pipeline, cache)).toMatchObject({
      keys: [{ key: 'item:1' }, { key: 'items' }],
      tiers: [{ tier: 'l1', verdict: 'valid', epoch: 'e1', seq: 0 }],
    });
    purge('item:1');
    expect((await explainUrl('/hot/1', pipeline, cache))?.tiers).toMatchObject([{ verdict: 'purged' }]);
  });
});
