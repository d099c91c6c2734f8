import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it } from 'vitest';
import { inEmptyContext } from './empty-context.ts';
import { untraced } from './trace.ts';

it('nothing that somebody entered is there, however long the work takes, and all of it is back afterwards', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen = async () => {
    const before = storage.getStore();
    await new Promise((resolve) => setImmediate(resolve));
    return [before, storage.getStore()];
  };
  await storage.run('visitor', async () => {
    expect(await inEmptyContext(untraced, seen)).toEqual([undefined, undefined]);
    expect(await seen()).toEqual(['visitor', 'visitor']);
  });
});
