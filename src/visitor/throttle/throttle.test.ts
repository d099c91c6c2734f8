import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ThrottleRelay, type ToThrottleRelay } from '../../host-link/throttle-relay.ts';
import { memoryCounter } from './counters.ts';
import { HostCounter } from './host-counter.ts';
import { faultOf } from './rule.ts';
import { network, Throttle } from './throttle.ts';

const rule = { max: 3, withinMs: 60_000 };

describe('a throttle', () => {
  it('lets through what a rule allows, and then says how long to wait, asking nobody again', async () => {
    let asked = 0;
    const memory = memoryCounter();
    const clock = new ManualClock();
    const counter = {
      count: (key: string) => {
        asked++;
        return memory.count(key, rule);
      },
    };
    const throttle = new Throttle(counter, clock);
    const all: unknown[] = [];
    for (let n = 0; n < 500; n++) all.push(await throttle.over(['/in', 'address', '10.0.0.1'], rule));
    expect(all.slice(0, 3)).toEqual([undefined, undefined, undefined]);
    expect(all.slice(3).every((waitMs) => Number(waitMs) > 0 && Number(waitMs) <= 60_000)).toBe(true);
    expect(asked).toBe(4);
    expect(throttle.stats()).toEqual({ asked: 4, refused: 497 });
    // Others notice nothing, and neither does the same address elsewhere.
    expect(await throttle.over(['/in', 'address', '10.0.0.2'], rule)).toBeUndefined();
    expect(await throttle.over(['/up', 'address', '10.0.0.1'], rule)).toBeUndefined();
    clock.advance(60_000);
    await throttle.over(['/in', 'address', '10.0.0.1'], rule);
    expect(asked).toBe(7);
  });

  it('counts in the primary for all workers of a host', async () => {
    const relay = new ThrottleRelay();
    const worker = () => {
      let heard: (body: unknown) => void = () => {};
      const member = { send: (body: unknown) => heard(body) };
      const line = {
        send: (body: ToThrottleRelay) => relay.receive(member, body),
        onMessage: (handler: (body: unknown) => void) => {
          heard = handler;
        },
      };
      return new HostCounter(line, new ManualClock());
    };
    const [first, second] = [worker(), worker()];
    const counts = [];
    for (let n = 0; n < 6; n++)
      counts.push((await (n % 2 === 0 ? first : second).count('key', rule)) !== undefined);
    expect(counts).toEqual([false, false, false, true, true, true]);
    for (const bad of [undefined, {}, { ask: 'count', id: 1, key: 'x', max: 0, withinMs: 1000 }])
      expect(() => relay.receive({ send: () => {} }, bad)).not.toThrow();
  });

  it('counts by itself while the primary does not answer', async () => {
    const clock = new ManualClock();
    const counter = new HostCounter({ send: () => {}, onMessage: () => {} }, clock);
    const counts = [];
    for (let n = 0; n < 4; n++) {
      const counting = counter.count('key', rule);
      clock.advance(250);
      counts.push((await counting) !== undefined);
    }
    expect(counts).toEqual([false, false, false, true]);
  });
});

it.each([
  ['10.0.0.1', '10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::ffff', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
])('of %s the network is %s', (address, expected) => {
  expect(network(address)).toBe(expected);
});

it.each([
  { max: 0, withinMs: 1000 },
  { max: 1.5, withinMs: 1000 },
  { max: 1, withinMs: 1 },
  { max: 1, withinMs: Number.NaN },
])('a rule that makes no sense is refused: %o', (wrong) => {
  expect(faultOf(wrong)).toBeDefined();
});
