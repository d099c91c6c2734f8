// A worker that has no room to render: what it still answers, and what it must not.
import { describe, expect, it } from 'vitest';
import { options, testStack } from '../../../test/support/cache.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { PurgeClock } from '../../invalidation/clock/clock.ts';
import { Lease } from '../../invalidation/clock/lease.ts';
import { MemoryTier } from '../memory/memory.ts';
import { weighFragment } from '../memory/weight.ts';
import { Background } from '../render/background.ts';
import { RenderSlots } from '../render/render-slots.ts';

const STAND_IN_MS = 60_000;
/** Longer than any test but one takes. */
const LEASE_MS = 100_000;

/** A stack with one slot, and a visitor who keeps it. */
function crowded() {
  const time = new ManualClock();
  const lease = new Lease(time, LEASE_MS);
  lease.renew(time.monotonic());
  const purges = new PurgeClock({ epoch: 'e1', slots: 1024, lease, degradedTtlMs: 1000 });
  const slots = new RenderSlots({ clock: time, maxRunning: 1, lineMs: 1 });
  const common = {
    clock: time,
    validity: purges,
    weigh: weighFragment,
    maxBytes: 1e6,
    standInMs: STAND_IN_MS,
  };
  const memory = new MemoryTier(common);
  const background = new Background({
    maxRunning: 2,
    maxQueued: 10,
    busy: () => slots.overloadLevel !== 'none',
  });
  const made = testStack({ time, purges, slots, memory, background });
  const ask = async (key: string, html: string, parts?: Parameters<typeof made.filled>[2]) =>
    made.stack.fetch(key, options, async (context) => made.filled(html, context, parts));
  const refused = async (key: string) => {
    const asked = ask(key, 'new');
    asked.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    time.advance(1);
    await expect(asked).rejects.toMatchObject({ code: 'E_OVERLOADED' });
  };
  return { ...made, background, slots, lease, ask, refused, keepSlot: () => slots.enterBehind() };
}

describe('a worker that has no room to render', () => {
  it('answers hits as ever', async () => {
    const { ask, keepSlot } = crowded();
    await ask('a', 'old');
    keepSlot();
    expect(await ask('a', 'new')).toMatchObject({ result: 'hit', value: { html: 'old' } });
  });

  it('serves what ran out by its time, also beyond its stale window, and says so', async () => {
    const { time, slots, ask, keepSlot } = crowded();
    await ask('a', 'old', { freshMs: 1000, staleMs: 1000 });
    time.advance(30_000);
    keepSlot();
    expect(await ask('a', 'new')).toMatchObject({
      result: 'stale',
      value: { html: 'old' },
      error: { code: 'E_OVERLOADED' },
    });
    expect(slots.stats()).toMatchObject({ staleIfOverloaded: 1, waiting: 0 });
  });

  it('serves what was expired', async () => {
    const { ask, keepSlot, expire } = crowded();
    await ask('a', 'old');
    expire('a');
    keepSlot();
    expect(await ask('a', 'new')).toMatchObject({ result: 'stale', value: { html: 'old' } });
  });

  it('never serves what was purged', async () => {
    const { time, ask, refused, keepSlot, purge } = crowded();
    await ask('a', 'old', { freshMs: 1000, staleMs: 1000 });
    time.advance(30_000);
    purge('a');
    keepSlot();
    await refused('a');
  });

  it('serves nothing beyond its time while purges may be missing', async () => {
    const { time, lease, ask, refused, keepSlot } = crowded();
    await ask('a', 'old', { freshMs: 1000, staleMs: 1000 });
    time.advance(30_000);
    lease.revoke();
    keepSlot();
    await refused('a');
  });

  it('serves nothing that is too old even for that', async () => {
    const { time, ask, refused, keepSlot } = crowded();
    await ask('a', 'old', { freshMs: 1000, staleMs: 1000 });
    time.advance(2000 + STAND_IN_MS);
    keepSlot();
    await refused('a');
  });

  it('renders what is beyond its time as soon as there is room', async () => {
    const { time, ask, keepSlot } = crowded();
    await ask('a', 'old', { freshMs: 1000, staleMs: 1000 });
    time.advance(30_000);
    const slot = keepSlot();
    await ask('a', 'new');
    slot.leave();
    expect(await ask('a', 'new')).toMatchObject({ result: 'miss', value: { html: 'new' } });
  });

  it('does not take a refusal for a failure of the page', async () => {
    const { stack, ask, refused, keepSlot } = crowded();
    const slot = keepSlot();
    await refused('a');
    slot.leave();
    expect(await ask('a', 'new')).toMatchObject({ result: 'miss' });
    expect(stack.stats()).toMatchObject({ fillErrors: 0, negativeHits: 0 });
  });

  it('refreshes nothing behind the visitors until there is room again', async () => {
    const { time, stack, background, ask, keepSlot } = crowded();
    await ask('a', 'old', { freshMs: 1000, staleMs: 60_000 });
    time.advance(2000);
    const slot = keepSlot();
    expect(await ask('a', 'new')).toMatchObject({ result: 'stale', error: undefined });
    expect(background.stats()).toMatchObject({ running: 0, queued: 1 });
    slot.leave();
    background.pump();
    await background.idle();
    expect(stack.peek('a')).toMatchObject({ html: 'new' });
  });
});
