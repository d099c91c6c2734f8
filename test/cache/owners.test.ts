// Two databases behind one Redis or one disk: production and staging of the same build, whose keys are all the same.
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openHost, pageFill, wait } from '../support/host.ts';
import { testRedis, until } from '../support/redis.ts';

const text = ({ value }: { readonly value: { readonly identity: Buffer } }) => value.identity.toString();

describe('hosts of two databases on one Redis', () => {
  it('share no page, and each renders its own, also at the same time', async () => {
    await using redis = await testRedis();
    const box = (owner: string) => openHost({ redisUrl: redis.url, overrides: { owner: () => owner } });
    await using production = await box('1-5-1');
    await using staging = await box('2-5-1');
    await using staging2 = await box('2-5-1');
    await until(async () => {
      const key = randomUUID();
      await staging.caches.pages.fetch(key, wait, pageFill('staging'));
      await staging.caches.pages.flushed();
      return (await staging2.caches.pages.fetch(key, wait, pageFill('again'))).tier === 'l2';
    });
    const renders = await Promise.all([
      production.caches.pages.fetch('k', wait, pageFill('production')),
      staging.caches.pages.fetch('k', wait, pageFill('staging')),
    ]);
    expect(renders.map(text)).toEqual(['production', 'staging']);
    await Promise.all([production.caches.pages.flushed(), staging.caches.pages.flushed()]);
    expect(text(await staging2.caches.pages.fetch('k', wait, pageFill('again')))).toBe('staging');
    for (const key of await redis.admin.keys('crs:*')) expect(key).toMatch(/:[12]-5-1:/);
    // Nor does one empty the other.
    await production.caches.pages.clear();
    staging2.caches.pages.evict('k');
    expect(text(await staging2.caches.pages.fetch('k', wait, pageFill('again')))).toBe('staging');
  });

  it('share nothing while the database is not known', async () => {
    await using redis = await testRedis();
    let owner: string | undefined;
    await using box = await openHost({
      redisUrl: redis.url,
      withDisk: true,
      overrides: { owner: () => owner },
    });
    await box.caches.pages.fetch('k', wait, pageFill('made of who knows what'));
    await box.caches.pages.flushed();
    expect(await redis.admin.keys('*')).toEqual([]);
    owner = '1-5-1';
    box.caches.pages.evict('k');
    expect(text(await box.caches.pages.fetch('k', wait, pageFill('production')))).toBe('production');
  });
});

describe('one disk under two databases, one after the other', () => {
  it('gives neither a page of the other', async () => {
    let owner = '1-5-1';
    await using box = await openHost({ withDisk: true, overrides: { owner: () => owner } });
    const ask = async (made: string) => {
      box.caches.pages.evict('k');
      const outcome = await box.caches.pages.fetch('k', wait, pageFill(made));
      await box.caches.pages.flushed();
      return text(outcome);
    };
    expect(await ask('first')).toBe('first');
    owner = '2-5-1';
    expect(await ask('second')).toBe('second');
    owner = '1-5-1';
    expect(await ask('third')).toBe('first');
  });
});
