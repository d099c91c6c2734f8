// What every purge bus must do. Run by each implementation; excluded from the ordinary run.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/redis.ts';
import { PurgeClock } from '../clock/clock.ts';
import type { BusListener, Purge, PurgeBus } from './bus.ts';
import { follow } from './follow.ts';

export interface BusFleet {
  /** One more member of the same fleet: what it publishes reaches all, and it hears all. */
  join(name?: string): Promise<PurgeBus>;
  /** From now on nothing reaches this member and nothing it says arrives: stopped, or cut off. */
  stop?(bus: PurgeBus): void;
  /** All members are one: none can be missing. */
  readonly oneProcess?: true;
  close(): Promise<void>;
}

const SLOTS = 2 ** 12;
export const CONTRACT_SLOTS = SLOTS;

export function describeBus(name: string, start: () => Promise<BusFleet>): void {
  describe(`${name}, as a purge bus`, () => {
    let fleet: BusFleet;
    beforeEach(async () => {
      fleet = await start();
    });
    afterEach(() => fleet.close());

    async function worker(name?: string): Promise<{ bus: PurgeBus; clock: PurgeClock }> {
      const bus = await fleet.join(name);
      let epochs = 0;
      const clock = new PurgeClock({ epoch: 'none', slots: SLOTS });
      follow(bus, clock, () => `own-${epochs++}`);
      await until(() => clock.epoch !== 'none');
      return { bus, clock };
    }

    /** A listener that has had its reset: from here on it hears every purge. */
    async function listen(bus: PurgeBus): Promise<{ heard: Purge[] }> {
      const heard: Purge[] = [];
      let resets = 0;
      const listener: BusListener = { purge: (purge) => heard.push(purge), reset: () => resets++ };
      bus.subscribe(listener);
      await until(() => resets > 0);
      return { heard };
    }

    it('brings a purge to every worker, which then finds the entry invalid', async () => {
      const [writer, reader] = [await worker(), await worker()];
      const stamp = reader.clock.stamp();
      const slots = reader.clock.slotsOf(['users#17']);
      expect(reader.clock.judge(slots, stamp)).toBe('valid');
      const { seq } = await writer.bus.publish(['users#17'], 'purge');
      await until(() => reader.clock.seq >= seq && writer.clock.seq >= seq);
      expect(reader.clock.judge(slots, stamp)).toBe('purged');
      expect(writer.clock.judge(slots, stamp)).toBe('purged');
      expect(reader.clock.judge(slots, reader.clock.stamp())).toBe('valid');
    });

    it('tells when the change was committed, if it was told', async () => {
      const [writer, reader] = [await worker(), await worker()];
      const { heard } = await listen(reader.bus);
      await writer.bus.publish(['users#17'], 'purge', 1_700_000_000_123.5);
      await writer.bus.publish(['users#18'], 'purge');
      await until(() => heard.length === 2);
      expect(heard.map(({ committedMs }) => committedMs)).toEqual([1_700_000_000_123.5, undefined]);
    });

    it('keeps an expired entry servable as stale', async () => {
      const { bus, clock } = await worker();
      const stamp = clock.stamp();
      const { seq } = await bus.publish(['posts@rows'], 'expire');
      await until(() => clock.seq >= seq);
      expect(clock.judge(clock.slotsOf(['posts@rows']), stamp)).toBe('expired');
    });

    it('hands out numbers without holes, in one order for all, however many publish at once', async () => {
      const members = [await worker(), await worker(), await worker()];
      const listeners = await Promise.all(members.map(({ bus }) => listen(bus)));
      const published = await Promise.all(
        Array.from({ length: 60 }, (_, index) => members[index % 3]?.bus.publish([`k:${index}`], 'purge')),
      );
      const last = Math.max(...published.map((each) => each?.seq ?? 0));
      await until(() => members.every(({ clock }) => clock.seq >= last));
      expect(new Set(published.map((each) => each?.seq)).size).toBe(60);
      for (const { clock } of members) expect(clock.seq).toBe(last);
      const told = listeners.map(({ heard }) => heard.map(({ seq, keys }) => `${seq} ${keys}`));
      expect(told[0]).toHaveLength(60);
      expect(told[1]).toEqual(told[0]);
      expect(told[2]).toEqual(told[0]);
    });

    it('gives a newcomer what was purged before it came', async () => {
      const early = await worker();
      const stamp = early.clock.stamp();
      const { seq } = await early.bus.publish(['users#1', 'users#2'], 'purge');
      const late = await worker();
      await until(() => late.clock.seq >= seq);
      expect(late.clock.epoch).toBe(stamp.epoch);
      expect(late.clock.judge(late.clock.slotsOf(['users#2']), stamp)).toBe('purged');
      expect(late.clock.judge(late.clock.slotsOf(['users#3']), stamp)).toBe('valid');
    });

    it('takes a purge of 100,000 keys', async () => {
      const { bus, clock } = await worker();
      const stamp = clock.stamp();
      const keys = Array.from({ length: 100_000 }, (_, index) => `users#${index}`);
      const { seq } = await bus.publish(keys, 'purge');
      await until(() => clock.seq >= seq);
      for (const key of ['users#0', 'users#49999', 'users#99999']) {
        expect(clock.judge(clock.slotsOf([key]), stamp)).toBe('purged');
      }
    });

    it('is silent to those who stopped listening', async () => {
      const { bus, clock } = await worker();
      const heard: Purge[] = [];
      const stop = bus.subscribe({ purge: (purge) => heard.push(purge), reset: () => {} });
      stop();
      const { seq } = await bus.publish(['a'], 'purge');
      await until(() => clock.seq >= seq);
      expect(heard).toEqual([]);
    });

    it('tells when every worker has applied a purge', async (context) => {
      const [writer, ...readers] = [await worker(), await worker(), await worker()];
      for (let round = 0; round < 20; round++) {
        const published = await writer.bus.publish([`users#${round}`], 'purge');
        const applied = await writer.bus.applied(published, { timeoutMs: 5000 });
        for (const { clock } of readers) expect(clock.seq).toBeGreaterThanOrEqual(published.seq);
        expect(applied.missing).toEqual([]);
        if (fleet.oneProcess !== true) expect(applied.workers).toBe(3);
      }
      if (fleet.oneProcess) context.skip('the rest needs several processes');
      await readers[0]?.bus.close();
      const { workers } = await writer.bus.applied(await writer.bus.publish(['a'], 'purge'), {
        timeoutMs: 5000,
      });
      expect(workers).toBe(2);
    });

    it('names a stopped worker, and waits for it no longer than it may serve old pages', async (context) => {
      if (fleet.stop === undefined) return context.skip('one process cannot be stopped in part');
      const [writer, reader, stopped] = [await worker(), await worker(), await worker('the-stopped-one')];
      const all = await writer.bus.applied(await writer.bus.publish(['a'], 'purge'), { timeoutMs: 5000 });
      expect(all).toEqual({ workers: 3, missing: [] });

      fleet.stop(stopped.bus);
      const begunAt = performance.now();
      const published = await writer.bus.publish(['users#17'], 'purge');
      expect(await writer.bus.applied(published, { timeoutMs: 20 })).toEqual({
        workers: 2,
        missing: ['the-stopped-one'],
      });
      expect(reader.clock.seq).toBe(published.seq);
      expect(stopped.clock.seq).toBeLessThan(published.seq);
      // Its lease (100 ms) and what it has micro-cached (150 ms) run out.
      expect(await writer.bus.applied(published, { timeoutMs: 5000 })).toEqual({ workers: 2, missing: [] });
      expect(performance.now() - begunAt).toBeGreaterThan(150);
    });

    it('gives up waiting when its caller has gone', async (context) => {
      if (fleet.stop === undefined) return context.skip('one process cannot be stopped in part');
      const [writer, stopped] = [await worker(), await worker()];
      fleet.stop(stopped.bus);
      const published = await writer.bus.publish(['a'], 'purge');
      const gone = new AbortController();
      const waiting = writer.bus.applied(published, { timeoutMs: 60_000, signal: gone.signal });
      gone.abort(new Error('the visitor left'));
      await expect(waiting).rejects.toThrow('the visitor left');
    });

    it('refuses to publish after it was closed', async () => {
      const { bus } = await worker();
      await bus.close();
      await expect(bus.publish(['users#1'], 'purge')).rejects.toMatchObject({ code: 'E_BUS_CLOSED' });
    });
  });
}
