import { describe, expect, test } from 'vitest';
import { LogLines } from '../../../test/support/log-lines.ts';
import { assemble } from '../application/application.ts';
import { preferredLanguage } from './languages.ts';
import { page } from './page.ts';
import { variant } from './variant.ts';
import { PageVariants, VariantChooser } from './variants.ts';

const VALUES = ['en', 'de', 'ar'] as const;

function locale(choose?: (sent: { headers: unknown; cookies: unknown }) => string | undefined) {
  const asked: unknown[] = [];
  const declared = variant({
    values: VALUES,
    reads: { headers: ['Accept-Language'], cookies: ['locale'] },
    choose: (visitor) => {
      asked.push(visitor);
      if (choose !== undefined) return choose(visitor);
      return visitor.cookies.locale ?? preferredLanguage(visitor.headers['Accept-Language'], VALUES);
    },
  });
  const chooser = new VariantChooser({ locale: declared });
  const variants = new PageVariants(['locale'], chooser);
  const choose1 = (headers: Readonly<Record<string, string>>) => variants.choose((name) => headers[name]);
  return { asked, chooser, variants, choose: choose1 };
}

describe('a variant', () => {
  test('is chosen by what it declared that it reads, and sees nothing else', () => {
    const { choose, asked } = locale();
    expect(
      choose({ 'accept-language': 'de-AT, en;q=0.5', cookie: 'session=secret', 'user-agent': 'x' }),
    ).toEqual({
      locale: 'de',
    });
    expect(asked).toEqual([
      { headers: { 'Accept-Language': 'de-AT, en;q=0.5' }, cookies: { locale: undefined } },
    ]);
    expect(choose({ 'accept-language': 'de', cookie: 'a=b; locale=ar' })).toEqual({ locale: 'ar' });
    expect(choose({})).toEqual({ locale: 'en' });
  });

  test('is asked once for each spelling, and a bounded number of them is remembered', () => {
    const { choose, asked } = locale();
    for (let times = 0; times < 3; times++) choose({ 'accept-language': 'de', cookie: `id=${times}` });
    expect(asked).toHaveLength(1);
    for (let index = 0; index < 5000; index++) choose({ 'accept-language': `x-${index}` });
    choose({ 'accept-language': 'de' });
    expect(asked).toHaveLength(1 + 5000 + 1);
  });

  test.each([
    ['answers what is not in its values', () => 'fr', 'chose what is not in its values'],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      'failed to choose',
    ],
  ])('that %s is the first value, told once', (_, choose, told) => {
    const log = new LogLines();
    const made = locale(choose);
    made.chooser.log = log;
    expect(made.choose({ 'accept-language': 'a' })).toEqual({ locale: 'en' });
    expect(made.choose({ 'accept-language': 'b', cookie: 'locale=secret' })).toEqual({ locale: 'en' });
    expect(log.lines).toHaveLength(1);
    expect(JSON.stringify(log.lines)).toContain(told);
    expect(JSON.stringify(log.lines)).not.toContain('secret');
  });

  test('takes what is far too long for not sent', () => {
    const { choose } = locale();
    expect(choose({ 'accept-language': `de${' '.repeat(300)}` })).toEqual({ locale: 'en' });
  });

  test.each([
    [{ values: [] }, 'a list of one string or more'],
    [{ values: ['a', 'a'] }, 'one value twice'],
    [{ values: ['a\n'] }, 'control character'],
    [{ reads: {} }, 'reads names nothing'],
    [{ reads: { headers: ['Cookie'] } }, "must not hold 'Cookie'"],
    [{ reads: { headers: ['X-Forwarded-Host'] } }, 'must not hold'],
    [{ reads: { headers: ['Host'] } }, 'see the host setting'],
    [{ reads: { cookies: ['a b'] } }, 'is no name'],
    [{ choose: undefined }, 'must be a function'],
  ])('that is declared as %j is refused', (wrong, why) => {
    const right = { values: ['a'], reads: { headers: ['x-a'] }, choose: () => 'a' };
    expect(() => Reflect.apply(variant, undefined, [{ ...right, ...wrong }])).toThrow(why);
  });
});

describe('a page', () => {
  const settings = {
    variants: { locale: variant({ values: ['a'], reads: { cookies: ['l'] }, choose: () => 'a' }) },
  };
  const home = (cache: object) => [{ file: 'index', exported: page({ cache, view: () => '' }) }];

  test('that names no variant of the application is refused, and told which there are', () => {
    expect(() => assemble({ modules: home({ variants: ['lang'] }), build: 'b', settings })).toThrow(
      'it has locale',
    );
    expect(() => assemble({ modules: home({ variants: ['lang'] }), build: 'b' })).toThrow('it has none');
  });

  test('whose variants read cookies is kept by no cache in between', () => {
    const cache = { variants: ['locale'], sharedMaxAgeMs: 60_000 };
    const { routes } = assemble({ modules: home(cache), build: 'b', settings });
    expect(routes[0]?.policy).toMatchObject({ sharedMaxAgeMs: 0, variesBy: ['cookie'], vary: [] });
  });

  test('that is another one for each host needs a schema of hosts', () => {
    expect(() => assemble({ modules: home({ host: true }), build: 'b' })).toThrow('no host schema');
  });
});
