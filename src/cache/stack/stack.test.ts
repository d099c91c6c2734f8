import { describe, expect, it } from 'vitest';
import { deferred, options, settled, testStack } from '../../../test/support/cache.ts';
import type { StopSignal } from '../../core/stop.ts';
import type { FillContext } from '../contract.ts';

describe('a stack of memory alone', () => {
  it('renders once and then serves from memory', async () => {
    const { stack, filled } = testStack();
    const first = await stack.fetch('k', options, async (context) => filled('one', context));
    const second = await stack.fetch('k', options, async () => expect.fail('rendered twice'));
    expect(first).toMatchObject({ result: 'miss', tier: undefined, stored: true, collapsed: false });
    expect(second).toMatchObject({ result: 'hit', tier: 'l1', value: { html: 'one' } });
    expect(stack.peek('k')?.html).toBe('one');
    expect(stack.stats()).toMatchObject({ fills: 1, misses: 1, hitsL1: 2 });
  });

  it('keeps what is not to be stored for those who wait only', async () => {
    const { stack, filled } = testStack();
    const fill = async (context: FillContext) => ({ ...filled('secret', context), store: false });
    const [one, two] = await Promise.all([stack.fetch('k', options, fill), stack.fetch('k', options, fill)]);
    expect(one.value).toBe(two.value);
    expect([one.collapsed, two.collapsed]).toEqual([false, true]);
    expect(one.stored).toBe(false);
    expect(stack.peek('k')).toBeUndefined();
  });

  it('serves an empty entry as the hit it is', async () => {
    const { stack, filled } = testStack();
    await stack.fetch('k', options, async (context) => filled('', context));
    expect((await stack.fetch('k', options, async () => expect.fail())).result).toBe('hit');
  });

  it('refuses a fill that claims to be newer than it is', async () => {
    const { stack, filled, purges } = testStack();
    const forged = stack.fetch('k', options, async (context) =>
      filled('x', { ...context, stamp: { epoch: purges.epoch, seq: 9 } }),
    );
    await expect(forged).rejects.toMatchObject({ code: 'E_FORGED_STAMP' });
  });
});

describe('purge and expire', () => {
  it('never serves what was purged, and renders again', async () => {
    const { stack, filled, purge } = testStack();
    await stack.fetch('k', options, async (context) => filled('old', context));
    purge('b');
    expect(stack.peek('k')?.html).toBe('old');
    purge('a');
    expect(stack.peek('k')).toBeUndefined();
    expect((await stack.fetch('k', options, async (context) => filled('new', context))).value.html).toBe(
      'new',
    );
    expect(stack.stats().l1).toMatchObject({ purged: 1, entries: 1 });
  });

  it('a purge during a render keeps the old page out of every tier, but answers who came before it', async () => {
    const { stack, filled, purge } = testStack();
    const reading = deferred();
    const before = stack.fetch('k', options, async (context) => {
      await reading.promise;
      return filled('old', context);
    });
    await settled();
    purge('a');
    const after = stack.fetch('k', options, async (context) => filled('new', context));
    reading.resolve();
    expect((await before).value.html).toBe('old');
    expect((await before).stored).toBe(false);
    expect((await after).value.html).toBe('new');
    expect(stack.peek('k')?.html).toBe('new');
    expect(stack.stats()).toMatchObject({ rejectedStores: 1, overtaken: 1, fills: 2 });
  });

  it('who boards after a purge of something else takes the result', async () => {
    const { stack, filled, purge } = testStack();
    const reading = deferred();
    const before = stack.fetch('k', options, async (context) => {
      await reading.promise;
      return filled('one', context);
    });
    await settled();
    purge('other');
    const after = stack.fetch('k', options, async () => expect.fail('rendered twice'));
    reading.resolve();
    expect((await after).value).toBe((await before).value);
  });

  it('an expired entry is served as stale while one render replaces it', async () => {
    const { stack, filled, expire, background } = testStack();
    await stack.fetch('k', options, async (context) => filled('old', context, { staleMs: 1000 }));
    expire('a');
    expect(stack.peek('k')).toBeUndefined();
    const fill = async (context: FillContext) => filled(context.reason, context);
    const [one, two] = await Promise.all([stack.fetch('k', options, fill), stack.fetch('k', options, fill)]);
    expect([one, two]).toMatchObject([
      { result: 'stale', value: { html: 'old' } },
      { result: 'stale', value: { html: 'old' } },
    ]);
    await background.idle();
    expect(stack.peek('k')?.html).toBe('refresh');
    expect(stack.stats()).toMatchObject({ fills: 2, refreshes: 1, stale: 2 });
  });

  it('another epoch makes everything suspect', async () => {
    const { stack, filled, purges } = testStack();
    await stack.fetch('k', options, async (context) =>
      filled('old', context, { staleMs: 1000, errorMs: 1000 }),
    );
    purges.beginEpoch('e2', purges.seq);
    expect(stack.peek('k')).toBeUndefined();
    await expect(stack.fetch('k', options, async () => Promise.reject(new Error('down')))).rejects.toThrow(
      'down',
    );
  });
});

describe('time', () => {
  it('serves stale within its window, and not a millisecond later', async () => {
    const { stack, filled, time, background } = testStack();
    await stack.fetch('k', options, async (context) => filled('one', context, { freshMs: 100, staleMs: 50 }));
    time.advance(149);
    const stale = await stack.fetch('k', options, async (context) =>
      filled('two', context, { freshMs: 1, staleMs: 5 }),
    );
    expect(stale).toMatchObject({ result: 'stale', value: { html: 'one' } });
    await background.idle();
    time.advance(6);
    const missed = await stack.fetch('k', options, async (context) => filled('three', context));
    expect(missed).toMatchObject({ result: 'miss', value: { html: 'three' } });
  });

  it('aborts a render at its hard timeout, even one that does not listen, and keeps nothing of it', async () => {
    const { stack, filled, time } = testStack();
    const reading = deferred();
    const signals: StopSignal[] = [];
    const slow = stack.fetch('k', { ...options, hardTimeoutMs: 100 }, async (context) => {
      signals.push(context.signal);
      await reading.promise;
      return filled('late', context);
    });
    await settled();
    time.advance(100);
    await expect(slow).rejects.toMatchObject({ code: 'E_RENDER_TIMEOUT' });
    expect(signals[0]?.aborted).toBe(true);
    reading.resolve();
    await settled();
    expect(stack.peek('k')).toBeUndefined();
    expect(stack.stats()).toMatchObject({ fillTimeouts: 1, inFlight: 0 });
  });

  it('after the soft timeout serves what there is and lets the render end', async () => {
    const { stack, filled, time } = testStack();
    await stack.fetch('k', options, async (context) =>
      filled('old', context, { freshMs: 10, errorMs: 1000 }),
    );
    time.advance(20);
    const reading = deferred();
    const soft = stack.fetch('k', { ...options, softTimeoutMs: 50 }, async (context) => {
      await reading.promise;
      return filled('new', context);
    });
    await settled();
    time.advance(50);
    expect(await soft).toMatchObject({ result: 'stale', value: { html: 'old' } });
    reading.resolve();
    await settled();
    expect(stack.peek('k')?.html).toBe('new');
  });

  it('leaves no timer behind', async () => {
    const { stack, filled, time } = testStack();
    await stack.fetch('k', { ...options, softTimeoutMs: 5 }, async (context) => filled('x', context));
    await expect(stack.fetch('l', options, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await settled();
    expect(time.pending).toBe(0);
  });
});

describe('failure', () => {
  it('is shared by all who wait and not repeated at once', async () => {
    const { stack, time, filled } = testStack();
    let renders = 0;
    const fill = async () => {
      renders++;
      throw new Error('down');
    };
    const all = await Promise.allSettled(Array.from({ length: 100 }, () => stack.fetch('k', options, fill)));
    expect(new Set(all.map((one) => (one.status === 'rejected' ? one.reason : undefined))).size).toBe(1);
    await expect(stack.fetch('k', options, fill)).rejects.toThrow('down');
    expect(renders).toBe(1);
    time.advance(1000);
    expect((await stack.fetch('k', options, async (context) => filled('up', context))).value.html).toBe('up');
    expect(stack.stats()).toMatchObject({ fillErrors: 1, negativeHits: 1 });
  });

  it('is hidden by a stale entry that may stand in, and the outcome says so', async () => {
    const { stack, filled, time } = testStack();
    await stack.fetch('k', options, async (context) =>
      filled('old', context, { freshMs: 10, errorMs: 1000 }),
    );
    time.advance(20);
    const down = new Error('down');
    const first = await stack.fetch('k', options, async () => Promise.reject(down));
    const second = await stack.fetch('k', options, async () => expect.fail('tried again at once'));
    expect([first, second]).toMatchObject([
      { result: 'stale', error: down, value: { html: 'old' } },
      { result: 'stale', error: down, value: { html: 'old' } },
    ]);
  });

  it('a purged entry never stands in', async () => {
    const { stack, filled, purge } = testStack();
    await stack.fetch('k', options, async (context) =>
      filled('old', context, { staleMs: 1000, errorMs: 1000 }),
    );
    purge('a');
    await expect(stack.fetch('k', options, async () => Promise.reject(new Error('down')))).rejects.toThrow(
      'down',
    );
  });

  it('of a refresh leaves the stale entry, is logged, and is not tried with every request', async () => {
    const { stack, filled, time, background, log } = testStack();
    await stack.fetch('k', options, async (context) =>
      filled('old', context, { freshMs: 10, staleMs: 9000 }),
    );
    time.advance(20);
    let tries = 0;
    const fill = async () => {
      tries++;
      throw new Error('down');
    };
    for (let request = 0; request < 5; request++) {
      expect(await stack.fetch('k', options, fill)).toMatchObject({ result: 'stale' });
      await background.idle();
    }
    expect(tries).toBe(1);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { group: '/page' } }]);
  });
});

describe('those who wait', () => {
  it('one who leaves does not disturb the rest', async () => {
    const { stack, filled } = testStack();
    const reading = deferred();
    const fill = async (context: FillContext) => {
      await reading.promise;
      expect(context.signal.aborted).toBe(false);
      return filled('x', context);
    };
    const gone = new AbortController();
    const one = stack.fetch('k', { ...options, signal: gone.signal }, fill);
    const two = stack.fetch('k', options, fill);
    gone.abort(new Error('client gone'));
    await expect(one).rejects.toThrow('client gone');
    reading.resolve();
    expect((await two).value.html).toBe('x');
  });

  it('the last who leaves stops the render, and who comes then starts anew', async () => {
    const { stack, filled } = testStack();
    const signals: StopSignal[] = [];
    const fill = (context: FillContext) => {
      signals.push(context.signal);
      return new Promise<never>((_, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason));
      });
    };
    const clients = [new AbortController(), new AbortController()];
    const waiting = clients.map(({ signal }) => stack.fetch('k', { ...options, signal }, fill));
    await settled();
    for (const client of clients) client.abort(new Error('gone'));
    const next = await stack.fetch('k', options, async (context) => filled('anew', context));
    expect(next.value.html).toBe('anew');
    await Promise.allSettled(waiting);
    expect(signals).toHaveLength(1);
    expect(signals[0]?.aborted).toBe(true);
    expect(stack.stats()).toMatchObject({ abandoned: 1, failing: 0, inFlight: 0 });
  });

  it('500 at once on a cold key cause one render', async () => {
    const { stack, filled } = testStack();
    let renders = 0;
    const fill = async (context: FillContext) => {
      renders++;
      await settled();
      return filled('x', context);
    };
    const all = await Promise.all(Array.from({ length: 500 }, () => stack.fetch('k', options, fill)));
    expect(renders).toBe(1);
    expect(all.filter(({ collapsed }) => collapsed)).toHaveLength(499);
  });

  it('a request past the cache renders apart and stores', async () => {
    const { stack, filled } = testStack();
    await stack.fetch('k', options, async (context) => filled('old', context));
    const fresh = await stack.fetch('k', { ...options, bypass: true }, async (context) =>
      filled('new', context),
    );
    expect(fresh.value.html).toBe('new');
    expect(stack.peek('k')?.html).toBe('new');
  });

  it('a closed stack refuses, and stops what renders', async () => {
    const { stack } = testStack();
    const waiting = stack.fetch('k', options, () => new Promise(() => {}));
    await settled();
    await stack.close();
    await expect(waiting).rejects.toMatchObject({ code: 'E_CACHE_CLOSED' });
    await expect(stack.fetch('k', options, () => new Promise(() => {}))).rejects.toMatchObject({
      code: 'E_CACHE_CLOSED',
    });
  });
});

describe('the static tier', () => {
  it('holds what is pinned, outside the LRU, until it is purged', async () => {
    const { stack, filled, purge, memory } = testStack();
    const pinned = { ...options, pin: true };
    await stack.fetch('k', pinned, async (context) => filled('one', context));
    expect(memory.stats()).toMatchObject({ entries: 0, pinned: { entries: 1 } });
    expect((await stack.fetch('k', pinned, async () => expect.fail())).tier).toBe('static');
    purge('a');
    expect(stack.peek('k')).toBeUndefined();
    expect((await stack.fetch('k', pinned, async (context) => filled('two', context))).value.html).toBe(
      'two',
    );
    expect(stack.peek('k')?.html).toBe('two');
  });
});
