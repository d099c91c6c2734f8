// What every tier must do, whatever it is made of. Run by L1, L2, L3, and by each behind a chaos wrapper.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PageEntry } from '../entry.ts';
import type { Tier } from './tier.ts';

export interface TierUnderTest {
  readonly tier: Tier<PageEntry>;
  /** The time the entries are made by. */
  readonly now: () => number;
  close(): Promise<void>;
}

export interface ContractOptions {
  /** Behind chaos a write or a read may fail or be lost, but what is read is right all the same. */
  readonly lossy?: boolean;
}

export function page(now: number, parts: Partial<PageEntry> = {}): PageEntry {
  return {
    status: 200,
    headers: [['content-type', 'text/html; charset=utf-8']],
    identity: Buffer.from('<p>hello</p>'),
    gzip: undefined,
    brotli: undefined,
    tag: 'tag-1',
    keys: ['users#1', 'users@rows'],
    stamp: { epoch: 'e1', seq: 7 },
    createdMs: now,
    freshUntilMs: now + 60_000,
    staleUntilMs: now + 120_000,
    errorUntilMs: now + 180_000,
    ...parts,
  };
}

const bodies = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes));
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const parts = fc.record({
  status: fc.constantFrom(200, 301, 404),
  headers: fc.array(fc.tuple(text, text), { maxLength: 5 }),
  identity: bodies,
  gzip: fc.option(bodies, { nil: undefined }),
  brotli: fc.option(bodies, { nil: undefined }),
  tag: text,
  keys: fc.array(text, { maxLength: 20 }),
  stamp: fc.record({ epoch: text, seq: fc.nat(2 ** 32 - 1) }),
});

/** Times may shift by what passed between writing and reading; all else must be the same. */
function expectSame(read: PageEntry | undefined, written: PageEntry): void {
  const { createdMs, freshUntilMs, staleUntilMs, errorUntilMs, ...rest } = written;
  expect(read).toMatchObject(rest);
  for (const [readMs, writtenMs] of [
    [read?.createdMs, createdMs],
    [read?.freshUntilMs, freshUntilMs],
    [read?.staleUntilMs, staleUntilMs],
    [read?.errorUntilMs, errorUntilMs],
  ]) {
    expect(Math.abs((readMs ?? 0) - (writtenMs ?? 0))).toBeLessThan(1000);
  }
}

export function tierContract(
  name: string,
  open: () => Promise<TierUnderTest>,
  { lossy = false }: ContractOptions = {},
) {
  describe(`${name} as a tier`, () => {
    let subject: TierUnderTest;
    let tier: Tier<PageEntry>;
    const now = () => subject.now();
    // A failure of a lossy tier is part of the game; of any other it is a failure of the test.
    const tried = <T>(work: Promise<T>): Promise<T | undefined> =>
      lossy ? work.catch(() => undefined) : work;

    beforeAll(async () => {
      subject = await open();
      tier = subject.tier;
    });
    beforeEach(async () => void (await tried(tier.clear())));
    afterAll(async () => {
      await tier.close();
      await subject.close();
    });

    it('gives back what it was given, to the byte', async () => {
      let writes = 0;
      await fc.assert(
        fc.asyncProperty(text, parts, async (key, random) => {
          // A tag of its own: where writes get lost an earlier one of the same key must not be taken for this.
          const written = page(now(), { ...random, tag: `${random.tag}#${writes++}` });
          await tried(tier.set(key, written));
          const read = await tried(tier.get(key));
          if (!lossy || (read !== undefined && read.tag === written.tag)) expectSame(read, written);
        }),
        { numRuns: 60 },
      );
    });

    it('has nothing under a key that was never written', async () => {
      await tried(tier.set('a', page(now())));
      expect(await tried(tier.get('b'))).toBeUndefined();
    });

    it('keeps the last of several writes', async () => {
      for (const tag of ['one', 'two', 'three']) await tried(tier.set('k', page(now(), { tag })));
      const read = await tried(tier.get('k'));
      if (lossy) expect(['one', 'two', 'three', undefined]).toContain(read?.tag);
      else expect(read?.tag).toBe('three');
    });

    it('keeps empty bodies and entries without keys apart from nothing', async () => {
      const empty = page(now(), { identity: Buffer.alloc(0), gzip: Buffer.alloc(0), keys: [], headers: [] });
      await tried(tier.set('k', empty));
      const read = await tried(tier.get('k'));
      if (!lossy || read !== undefined) expectSame(read, empty);
    });

    it('forgets what is deleted, and deleting nothing is no error', async () => {
      await tried(tier.set('k', page(now())));
      await tried(tier.delete('k'));
      await tried(tier.delete('never there'));
      if (!lossy) expect(await tier.get('k')).toBeUndefined();
    });

    it('is empty after clear, and usable again', async () => {
      for (let index = 0; index < 30; index++) await tried(tier.set(`k${index}`, page(now())));
      await tried(tier.clear());
      if (!lossy)
        for (let index = 0; index < 30; index++) expect(await tier.get(`k${index}`)).toBeUndefined();
      await tried(tier.set('k', page(now())));
      if (!lossy) expect(await tier.get('k')).toBeDefined();
    });

    it('takes nothing whose time is over', async () => {
      const over = now() - 1;
      await tried(
        tier.set('over', page(now(), { freshUntilMs: over, staleUntilMs: over, errorUntilMs: over })),
      );
      expect(await tried(tier.get('over'))).toBeUndefined();
    });

    it('keeps an entry as long as it is of use to anybody, and one without end too', async () => {
      const over = now() - 1;
      await tried(tier.set('stale', page(now(), { freshUntilMs: over })));
      const always = Number.POSITIVE_INFINITY;
      await tried(
        tier.set('static', page(now(), { freshUntilMs: always, staleUntilMs: always, errorUntilMs: always })),
      );
      if (lossy) return;
      expect((await tier.get('stale'))?.freshUntilMs).toBeLessThanOrEqual(now());
      expect((await tier.get('static'))?.freshUntilMs).toBe(always);
    });

    it('stays out of what is too large, without failing', async () => {
      await tried(tier.set('k', page(now(), { identity: Buffer.alloc(9 * 2 ** 20) })));
      expect(await tried(tier.get('k'))).toBeUndefined();
    });

    it('takes many writes and reads at once', async () => {
      const keys = Array.from({ length: 100 }, (_, index) => `many/${index}`);
      await Promise.all(keys.map((key) => tried(tier.set(key, page(now(), { tag: key })))));
      const read = await Promise.all(keys.map((key) => tried(tier.get(key))));
      for (const [index, entry] of read.entries()) {
        if (lossy && entry === undefined) continue;
        expect(entry?.tag).toBe(keys[index]);
      }
    });

    it('counts', () => {
      for (const value of Object.values(tier.stats())) expect(['number', 'string']).toContain(typeof value);
    });
  });
}
