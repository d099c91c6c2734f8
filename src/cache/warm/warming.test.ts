import { describe, expect, it } from 'vitest';
import { deferred, settled } from '../../../test/support/cache.ts';
import { LogLines } from '../../../test/support/log-lines.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { type WarmingOptions, warm } from './warming.ts';

function optionsOf(
  overrides: Partial<WarmingOptions>,
): WarmingOptions & { readonly clock: ManualClock; readonly log: LogLines } {
  const clock = new ManualClock();
  const log = new LogLines();
  return { targets: [], warm: async () => {}, concurrency: 2, budgetMs: 1000, ...overrides, clock, log };
}

describe('warming', () => {
  it('makes each once, so many at a time, and says how it goes', async () => {
    const made: string[] = [];
    let running = 0;
    const options = optionsOf({
      targets: ['a', 'b', 'a', 'c', 'd', 'e'],
      warm: async (target) => {
        expect(++running).toBeLessThanOrEqual(2);
        await settled();
        running--;
        made.push(target);
      },
    });
    expect(await warm(options)).toMatchObject({ done: 5, failed: 0, left: 0 });
    expect(made.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(options.log.lines.at(-1)).toMatchObject({ level: 'info', fields: { done: 5 } });
    expect(options.clock.pending).toBe(0);
  });

  it('goes on past a page that fails', async () => {
    const fail = async (target: string) => {
      if (target === 'b') throw new Error('no');
    };
    expect(await warm(optionsOf({ targets: ['a', 'b', 'c'], warm: fail }))).toMatchObject({
      done: 2,
      failed: 1,
    });
  });

  it('ends when its time is over, even for one that does not listen', async () => {
    const never = deferred();
    const signals: AbortSignal[] = [];
    const options = optionsOf({
      targets: ['a', 'b', 'c'],
      warm: (_, signal) => {
        signals.push(signal);
        return never.promise;
      },
    });
    const warming = warm(options);
    await settled();
    options.clock.advance(1000);
    expect(await warming).toMatchObject({ done: 0, failed: 0, left: 3, tookMs: 1000 });
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
  });

  it('of nothing is over at once', async () => {
    expect(await warm(optionsOf({}))).toMatchObject({ done: 0, left: 0 });
  });
});
