// L3 on a disk that is full, read-only, gone or damaged, and under writers that are killed.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskStore, type DiskStoreOptions } from '../../src/cache/disk/disk.ts';
import { pageCodec } from '../../src/cache/shared/codec.ts';
import { EnvelopeTier } from '../../src/cache/shared/envelope-tier.ts';
import { systemClock } from '../../src/core/clock.ts';
import { seeded } from '../support/chaos-tier.ts';
import { program } from '../support/child.ts';
import { LogLines } from '../support/log-lines.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/redis.ts';
import { KEYS, proves, selfProving } from '../support/self-proving.ts';

let folder: string;
const opened: DiskStore[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crs-disk-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(overrides: Partial<DiskStoreOptions> = {}) {
  const log = new LogLines();
  const store = new DiskStore({
    folder,
    clock: systemClock,
    log,
    random: seeded(1),
    maxBytes: 1e7,
    writers: 1,
    pid: process.pid,
    ...overrides,
  });
  opened.push(store);
  return { log, store, tier: new EnvelopeTier({ name: 'l3', clock: systemClock, codec: pageCodec, store }) };
}

/** The files of entries, without locks and unfinished ones. */
function files(): string[] {
  return readdirSync(folder)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .flatMap((shard) => readdirSync(join(folder, shard)).map((name) => join(folder, shard, name)));
}

const bytesUsed = () => files().reduce((sum, file) => sum + statSync(file).size, 0);

describe('a disk that is well', () => {
  it('keeps entries across a restart and shares them between workers', async () => {
    const one = open();
    await one.tier.set('k', selfProving('k', 5000));
    const two = open();
    expect(proves('k', (await two.tier.get('k')) ?? selfProving('no', 1))).toBe(true);
  });

  it('stays within its bytes, and keeps what was read last', async () => {
    const { tier, store } = open({ maxBytes: 1e6 });
    for (let index = 0; index < 200; index++) {
      await tier.set(`k${index}`, selfProving(`k${index}`, 10_000));
      await store.swept();
      expect(bytesUsed()).toBeLessThanOrEqual(1e6);
    }
    expect(store.stats().evicted).toBeGreaterThan(100);
    expect(await tier.get('k199')).toBeDefined();
    expect(await tier.get('k0')).toBeUndefined();
  });

  it('makes a file young again when it is read', async () => {
    const { tier } = open();
    await tier.set('k', selfProving('k', 100));
    const [file = ''] = files();
    utimesSync(file, 1, 1);
    await tier.get('k');
    expect(statSync(file).mtimeMs).toBeGreaterThan(1e12);
  });

  it('clears away what a killed process left unfinished, and takes its lock over', async () => {
    mkdirSync(join(folder, 'tmp'));
    const unfinished = join(folder, 'tmp', '1-1-dead');
    const lock = join(folder, 'sweep.lock');
    for (const file of [unfinished, lock]) {
      writeFileSync(file, 'x');
      utimesSync(file, 1, 1);
    }
    const { tier, store } = open();
    await tier.set('k', selfProving('k', 100));
    await store.swept();
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
    expect(readdirSync(folder)).not.toContain('sweep.lock');
  });

  it('serves nothing that has ended, whatever the file says of itself otherwise', async () => {
    const clock = new ManualClock();
    const { store } = open({ clock });
    await store.write('k', Buffer.from('x'), 1000);
    expect((await store.read('k'))?.remainingMs).toBe(1000);
    clock.advance(1001);
    expect((await store.read('k'))?.remainingMs).toBe(-1);
  });
});

describe('a damaged file', () => {
  it('cut at any length is a miss, counted and removed', async () => {
    const { tier } = open();
    await tier.set('k', selfProving('k', 200));
    const [file = ''] = files();
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; length += 3) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      expect(await tier.get('k'), `cut to ${length}`).toBeUndefined();
      await until(() => files().length === 0);
    }
    expect(tier.stats().flaw_truncated).toBe(Math.ceil(whole.length / 3));
  });

  it('with any bit flipped is never served', async () => {
    const { tier } = open();
    await tier.set('k', selfProving('k', 60));
    const [file = ''] = files();
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (at % 8)), at);
      writeFileSync(file, damaged);
      expect(await tier.get('k'), `byte ${at}`).toBeUndefined();
      await until(() => files().length === 0);
    }
  });

  it('under the name of another key is not served', async () => {
    const { tier } = open();
    await tier.set('a', selfProving('a', 60));
    const [a = ''] = files();
    const bytes = readFileSync(a);
    await tier.set('b', selfProving('b', 60));
    const b = files().find((file) => file !== a) ?? '';
    writeFileSync(b, bytes);
    expect(await tier.get('b')).toBeUndefined();
    expect(tier.stats().flaw_key).toBe(1);
  });
});

describe('a disk that refuses', () => {
  it('where the folder cannot be made, the tier is off and says so', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const clock = new ManualClock();
    const { tier, log, store } = open({ folder: join(file, 'below'), clock });
    expect(tier.usable).toBe(false);
    expect(log.lines).toMatchObject([{ level: 'error', fields: { tier: 'l3', code: 'ENOTDIR' } }]);
    expect(store.stats()).toMatchObject({ disk: 'off', diskErrors: 1, diskLastError: 'ENOTDIR' });
    await expect(tier.set('k', selfProving('k', 1))).rejects.toMatchObject({ code: 'E_DISK_UNAVAILABLE' });
    rmSync(file);
    clock.advance(1000);
    await until(() => tier.usable);
    await tier.set('k', selfProving('k', 1));
    expect(log.lines.at(-1)).toMatchObject({ level: 'info' });
  });

  const isRoot = process.getuid?.() === 0;
  it.skipIf(isRoot)('read-only: off, and on again when it can be written', async () => {
    const clock = new ManualClock();
    const { tier } = open({ clock });
    await tier.set('k', selfProving('k', 1));
    chmodSync(join(folder, 'tmp'), 0o500);
    await expect(tier.set('l', selfProving('l', 1))).rejects.toThrow();
    expect(tier.usable).toBe(false);
    chmodSync(join(folder, 'tmp'), 0o700);
    clock.advance(1000);
    await until(() => tier.usable);
  });

  // Needs a file system of its own, which only root may mount.
  it.skipIf(!isRoot)(
    'full or read-only: off, and on again when it takes data; what is there is whole',
    async () => {
      const disk = join(folder, 'small');
      mkdirSync(disk);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
      } catch {
        return; // A container without the right to mount.
      }
      try {
        const clock = new ManualClock();
        const { tier, log, store } = open({ folder: disk, maxBytes: 1e9, clock });
        let written = 0;
        while (tier.usable)
          await tier.set(`k${written}`, selfProving(`k${written++}`, 30_000)).catch(() => {});
        expect(log.lines).toMatchObject([{ level: 'error', fields: { code: 'ENOSPC' } }]);
        clock.advance(1000);
        await until(() => store.stats().diskOff === 2);
        expect(tier.usable).toBe(false);
        const reader = open({ folder: disk, clock });
        for (let index = 0; index < written - 1; index++) {
          expect(proves(`k${index}`, (await reader.tier.get(`k${index}`)) ?? selfProving('no', 1))).toBe(
            true,
          );
        }
        expect(await reader.tier.get(`k${written - 1}`)).toBeUndefined();
        await reader.tier.clear();
        clock.advance(10_000);
        await until(() => tier.usable);
        execFileSync('mount', ['-o', 'remount,ro', disk]);
        await expect(tier.set('k', selfProving('k', 1))).rejects.toMatchObject({ code: 'EROFS' });
        expect(tier.usable).toBe(false);
      } finally {
        execFileSync('umount', [disk]);
      }
    },
  );
});

describe('writers that are killed', () => {
  // KILLS=100 npx vitest run test/cache/disk-faults.test.ts is the long form.
  const kills = Number(process.env.KILLS ?? 10);

  it(
    'leave whole entries or none, however often',
    async () => {
      const writers = await program(new URL('../support/disk-writer.program.ts', import.meta.url));
      const random = seeded(5);
      let read = 0;
      try {
        for (let kill = 0; kill < kills; kill++) {
          const pair = [writers.fork(folder), writers.fork(folder)];
          await Promise.all(pair.map((writer) => once(writer, 'message')));
          const pauseMs = random() * 30;
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
          const dead = pair.map((writer) => once(writer, 'exit'));
          for (const writer of pair) writer.kill('SIGKILL');
          await Promise.all(dead);
          const { tier } = open({ maxBytes: 2e6 });
          for (let index = 0; index < KEYS; index++) {
            const found = await tier.get(`k${index}`);
            if (found === undefined) continue;
            read++;
            expect(proves(`k${index}`, found), `k${index} after kill ${kill}`).toBe(true);
          }
          const { flaw_truncated, flaw_checksum, flaw_malformed } = tier.stats();
          expect([flaw_truncated, flaw_checksum, flaw_malformed]).toEqual([0, 0, 0]);
        }
        expect(read).toBeGreaterThan(kills);
      } finally {
        writers.remove();
      }
    },
    60_000 + kills * 2000,
  );
});
