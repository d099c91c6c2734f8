import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it } from 'vitest';
import { inEmptyContext, inOwnContext } from './empty-context.ts';
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

it('what is entered in it, or in a context of its own, is over with it', () => {
  const around = new AsyncLocalStorage<string>();
  for (const within of [(work: () => void) => inEmptyContext(untraced, work), inOwnContext]) {
    within(() => around.enterWith('a visitor'));
    expect(around.getStore()).toBeUndefined();
    within(() => expect(around.getStore()).toBeUndefined());
  }
});
