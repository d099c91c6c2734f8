// The stack while purges may be missing: nothing is served that was read longer ago than `degradedTtlMs`, neither from
// memory nor by way of a render that is under way.
import { describe, expect, it } from 'vitest';
import { deferred, options, settled, testStack } from '../../../test/support/cache.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import { Lease } from '../../invalidation/clock/lease.ts';
import type { FillContext } from '../contract.ts';

const DEGRADED_TTL_MS = 1000;

function withoutLease() {
  const time = new ManualClock();
  const lease = new Lease(time, 500);
  const purges = new PurgeClock({ epoch: 'e1', slots: 64, lease, degradedTtlMs: DEGRADED_TTL_MS });
  const parts = testStack({ time, purges });
  /** Reads now, and is done when told. */
  const slowFill = (html: string, until: Promise<void>) => async (context: FillContext) => {
    const { value } = parts.filled(html, context);
    await until;
    return { value, store: true };
  };
  return { ...parts, lease, slowFill };
}

describe('a worker that may miss purges', () => {
  it('does not serve an entry that is too old for it in the place of a slow render', async () => {
    const { stack, time, filled, slowFill } = withoutLease();
    // It may stand in for a failure, but then the answer says so; slow is not failed.
    await stack.fetch('k', options, async (context) => filled('old', context, { errorMs: 60_000 }));
    time.advance(DEGRADED_TTL_MS);
    const done = deferred();
    const slow = stack.fetch('k', { ...options, softTimeoutMs: 50 }, slowFill('new', done.promise));
    await settled();
    time.advance(50);
    await settled();
    done.resolve();
    expect(await slow).toMatchObject({ result: 'miss', value: { html: 'new' } });
  });

  it.each([
    ['', 0],
    [', also when the clock was set back meanwhile', -3_600_000],
  ])(
    'gives who joins a render near its end nothing that was read too long before he came%s',
    async (_, jumpMs) => {
      const { stack, time, slowFill } = withoutLease();
      const [first, second] = [deferred(), deferred()];
      const early = stack.fetch('k', options, slowFill('old', first.promise));
      await settled();
      time.advance(DEGRADED_TTL_MS + 1);
      time.jump(jumpMs);
      const late = stack.fetch('k', options, slowFill('new', second.promise));
      await settled();
      first.resolve();
      await settled();
      second.resolve();
      expect((await early).value.html).toBe('old');
      expect(await late).toMatchObject({ collapsed: true, value: { html: 'new' } });
    },
  );

  it('shares a render that began a moment ago', async () => {
    const { stack, time, slowFill } = withoutLease();
    const done = deferred();
    const early = stack.fetch('k', options, slowFill('one', done.promise));
    await settled();
    time.advance(DEGRADED_TTL_MS - 1);
    const late = stack.fetch('k', options, () => expect.fail('rendered twice'));
    done.resolve();
    expect((await late).value).toBe((await early).value);
  });

  it('takes the slow render after all, where the lease has come back and no purge touched it', async () => {
    const { stack, time, lease, slowFill } = withoutLease();
    const done = deferred();
    const early = stack.fetch('k', options, slowFill('one', done.promise));
    await settled();
    time.advance(DEGRADED_TTL_MS + 1);
    const late = stack.fetch('k', options, () => expect.fail('rendered twice'));
    await settled();
    lease.renew(time.monotonic());
    done.resolve();
    expect((await late).value).toBe((await early).value);
  });
});
