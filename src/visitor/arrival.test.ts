// A visitor through several requests: what a browser was given it sends back, as far as its rules let it.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { Db } from '../data/db.ts';
import type { VisitorRequest } from './arrival.ts';
import { type SessionDeclaration, session } from './declaration.ts';
import { Visitors } from './visitors.ts';

const DAY = 86_400_000;
const schema = z.object({ userId: z.number(), name: z.string() });
const ada = { userId: 1, name: 'Ada' };
const secret = 's'.repeat(32);
const noDb = (): Db => {
  throw new Error('nothing is read here');
};

function visitorsOf(
  declaration: SessionDeclaration | undefined,
  clock = new ManualClock(),
  secrets = secret,
) {
  const visitors = new Visitors({ declaration, secret: secrets, clock });
  const arrive = (
    cookie?: string,
    more: Partial<VisitorRequest> = {},
    headers: Record<string, string> = {},
  ) =>
    visitors.arrive({
      header: (name) => (name === 'cookie' ? cookie : headers[name]),
      host: 'site.example',
      isSecure: true,
      ...more,
    });
  return { arrive, clock };
}

const plain = session({ schema });

/** name=value of a Set-Cookie, as a browser sends it back. */
function pair(headers: ReturnType<ReturnType<Visitors['arrive']>['headers']>, name: string): string {
  const value = headers.map(([, text]) => text).find((text) => text.startsWith(`${name}=`));
  return value?.split(';')[0] ?? '';
}

function signedIn(declaration: SessionDeclaration = plain, clock = new ManualClock(), more = {}) {
  const { arrive } = visitorsOf(declaration, clock);
  const arrival = arrive(undefined, more);
  arrival.writing.session.set(ada);
  return arrival.headers();
}

async function read(arrival: ReturnType<Visitors['arrive']>): Promise<unknown> {
  await arrival.settle(noDb);
  return arrival.reading.session.data;
}

describe('a session', () => {
  it('is read by the next request, in a cookie that no script and no other site sees', async () => {
    const headers = signedIn();
    expect(headers).toHaveLength(1);
    expect(headers[0]?.[1]).toMatch(
      /^__Host-session=[\w-]+; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const { arrive } = visitorsOf(plain);
    expect(await read(arrive(pair(headers, '__Host-session')))).toEqual(ada);
    expect(await read(arrive(undefined))).toBeUndefined();
  });

  it('without TLS has the plain name; neither way reads the other one', async () => {
    const secure = pair(signedIn(), '__Host-session');
    const open = pair(signedIn(plain, undefined, { isSecure: false }), 'session');
    expect(open).toMatch(/^session=[\w-]+$/);
    const { arrive } = visitorsOf(plain);
    expect(await read(arrive(open, { isSecure: false }))).toEqual(ada);
    expect(await read(arrive(secure, { isSecure: false }))).toBeUndefined();
    expect(await read(arrive(open))).toBeUndefined();
    expect(await read(arrive(open.replace('session', '__Host-session')))).toEqual(ada);
  });

  it('is for the host that it was given for, whatever its port', async () => {
    const cookie = pair(signedIn(), '__Host-session');
    const { arrive } = visitorsOf(plain);
    expect(await read(arrive(cookie, { host: 'Site.example:8443' }))).toEqual(ada);
    expect(await read(arrive(cookie, { host: 'other.example' }))).toBeUndefined();
    expect(await read(arrive(cookie, { host: undefined }))).toBeUndefined();
  });

  it('forged, cut or 8 KB long is none', async () => {
    const cookie = pair(signedIn(), '__Host-session');
    const { arrive } = visitorsOf(plain);
    for (const bad of [
      `${cookie}AAAA`,
      cookie.slice(0, -2),
      `__Host-session=${'A'.repeat(8192)}`,
      '__Host-session=1',
      '__Host-session',
    ])
      expect(await read(arrive(bad)), bad.slice(0, 40)).toBeUndefined();
  });

  it('of which there are two is none: another site of the domain may have put one there', async () => {
    const cookie = pair(signedIn(plain, undefined, { isSecure: false }), 'session');
    const { arrive } = visitorsOf(plain);
    const isSecure = false;
    expect(await read(arrive(`a=1; ${cookie}; b=2`, { isSecure }))).toEqual(ada);
    expect(await read(arrive(`${cookie}; session=x`, { isSecure }))).toBeUndefined();
    expect(await read(arrive(`session=x;${cookie}`, { isSecure }))).toBeUndefined();
  });

  it('ends maxAgeMs after it began, however often it is changed', async () => {
    const clock = new ManualClock();
    const { arrive } = visitorsOf(session({ schema, maxAgeMs: 2 * DAY }), clock);
    const first = arrive();
    first.writing.session.set(ada);
    let cookie = pair(first.headers(), '__Host-session');
    clock.advance(DAY);
    const second = arrive(cookie);
    await second.settle(noDb);
    second.writing.session.update({ ...ada, name: 'Ada L.' });
    expect(second.headers()[0]?.[1]).toContain('Max-Age=86400;');
    cookie = pair(second.headers(), '__Host-session');
    expect(await read(arrive(cookie))).toEqual({ userId: 1, name: 'Ada L.' });
    clock.advance(DAY);
    expect(await read(arrive(cookie))).toBeUndefined();
  });

  it('ends earlier where maxAgeMs was made shorter meanwhile, or the version was raised', async () => {
    const clock = new ManualClock();
    const cookie = pair(signedIn(plain, clock), '__Host-session');
    clock.advance(DAY);
    expect(await read(visitorsOf(session({ schema, maxAgeMs: 2 * DAY }), clock).arrive(cookie))).toEqual(ada);
    expect(await read(visitorsOf(session({ schema, maxAgeMs: DAY }), clock).arrive(cookie))).toBeUndefined();
    expect(await read(visitorsOf(session({ schema, version: 2 }), clock).arrive(cookie))).toBeUndefined();
  });

  it('lives on when the clock is set back by hours, and not when it was issued by a clock that was years ahead', async () => {
    const ahead = (ms: number) => {
      const clock = new ManualClock();
      clock.advance(ms);
      return pair(signedIn(plain, clock), '__Host-session');
    };
    const { arrive } = visitorsOf(plain);
    expect(await read(arrive(ahead(12 * 3_600_000)))).toEqual(ada);
    expect(await read(arrive(ahead(365 * DAY)))).toBeUndefined();
  });

  it('whose content the schema no longer takes is none', async () => {
    const cookie = pair(signedIn(), '__Host-session');
    const other = session({ schema: z.object({ userId: z.string() }) });
    expect(await read(visitorsOf(other).arrive(cookie))).toBeUndefined();
  });

  it('stays while its secret is replaced', async () => {
    const cookie = pair(signedIn(), '__Host-session');
    const [next, after] = ['n'.repeat(32), 'm'.repeat(32)];
    expect(await read(visitorsOf(plain, undefined, `${next},${secret}`).arrive(cookie))).toEqual(ada);
    expect(await read(visitorsOf(plain, undefined, `${after},${next}`).arrive(cookie))).toBeUndefined();
  });

  it('that is ended takes its cookie away, and has the browser forget the pages', () => {
    const arrival = visitorsOf(plain).arrive(pair(signedIn(), '__Host-session'));
    arrival.writing.session.clear();
    expect(arrival.writing.session.data).toBeUndefined();
    expect(arrival.headers()).toEqual([
      ['set-cookie', '__Host-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'],
      ['clear-site-data', '"cache"'],
    ]);
  });

  it('is known to the log by a name that leads nowhere, the same after a change', async () => {
    const cookie = pair(signedIn(), '__Host-session');
    const arrival = visitorsOf(plain).arrive(cookie);
    await arrival.settle(noDb);
    const name = arrival.logId;
    expect(name).toMatch(/^[\w-]{12}$/);
    expect(cookie).not.toContain(name);
    arrival.writing.session.update({ ...ada, name: 'A' });
    expect(arrival.logId).toBe(name);
  });
});

describe('valid', () => {
  const asked: unknown[] = [];
  const judging = (answer: () => boolean | Promise<boolean>) =>
    session({
      schema,
      valid: (signedIn) => {
        asked.push(signedIn);
        return answer();
      },
    });
  const cookie = pair(signedIn(), '__Host-session');

  it('is asked once a request, and is told when the session was issued', async () => {
    asked.length = 0;
    const arrival = visitorsOf(judging(async () => true)).arrive(cookie);
    const db = (): Db => ({}) as Db;
    await Promise.all([arrival.settle(db), arrival.settle(db)]);
    expect(arrival.reading.session.data).toEqual(ada);
    expect(asked).toEqual([{ data: ada, issuedAt: new Date(new ManualClock().now()) }]);
  });

  it('ends the session by anything but true, and takes its cookie away', async () => {
    for (const answer of [false, undefined, 1, Promise.resolve(false)]) {
      const arrival = visitorsOf(judging(() => answer as boolean)).arrive(cookie);
      await arrival.settle(() => ({}) as Db);
      expect(arrival.reading.session.data).toBeUndefined();
      expect(arrival.headers()[0]?.[1]).toContain('__Host-session=; Max-Age=0');
    }
  });

  it('that fails lets nobody in', async () => {
    const arrival = visitorsOf(judging(() => Promise.reject(new Error('database')))).arrive(cookie);
    await expect(arrival.settle(() => ({}) as Db)).rejects.toThrow('database');
    expect(arrival.reading.session.data).toBeUndefined();
  });

  it('is not asked for a session that is none', async () => {
    asked.length = 0;
    await visitorsOf(judging(() => true))
      .arrive('__Host-session=AAAA')
      .settle(noDb);
    expect(asked).toEqual([]);
  });
});

describe('what cannot be written', () => {
  const writing = (declaration: SessionDeclaration | undefined = plain, more = {}) =>
    visitorsOf(declaration).arrive(undefined, more).writing;

  it.each([
    ['what the schema refuses', () => writing().session.set({ userId: 1 } as never), 'E_SESSION_DATA'],
    [
      'what JSON cannot carry',
      () => writing(session({ schema: z.any() })).session.set({ n: 1n } as never),
      'E_SESSION_DATA',
    ],
    [
      'nothing',
      () => writing(session({ schema: z.any() })).session.set(undefined as never),
      'E_SESSION_DATA',
    ],
    [
      'a date that would come back as text',
      () => writing(session({ schema: z.object({ at: z.date() }) })).session.set({ at: new Date() } as never),
      'E_SESSION_DATA',
    ],
    [
      'what a schema must wait for',
      () => writing(session({ schema: z.any().refine(async () => true) })).session.set(ada),
      'E_SESSION_DATA',
    ],
    [
      'more than 3.5 KB',
      () => writing().session.set({ userId: 1, name: 'x'.repeat(3000) }),
      'E_SESSION_TOO_LARGE',
    ],
    [
      'a session that was not declared',
      () => visitorsOf(undefined).arrive().writing.session.set(ada),
      'E_NO_SESSION',
    ],
    [
      'a flash message without sessions',
      () => visitorsOf(undefined).arrive().writing.flash('hello'),
      'E_NO_SESSION',
    ],
    ['a cookie of ours', () => writing().cookies.set('__Host-session', 'x'), 'E_COOKIE'],
    ['a cookie with a name that is none', () => writing().cookies.set('a b', 'x'), 'E_COOKIE'],
    ['a cookie of 5 KB', () => writing().cookies.set('a', 'x'.repeat(5000)), 'E_COOKIE'],
    ['a cookie for ever', () => writing().cookies.set('a', 'x', { maxAgeMs: 500 * DAY }), 'E_COOKIE'],
    [
      'SameSite=None without TLS',
      () => writing(plain, { isSecure: false }).cookies.set('a', 'x', { sameSite: 'none' }),
      'E_COOKIE',
    ],
    ['a domain with a line break', () => writing().cookies.set('a', 'x', { domain: 'a\r\nb' }), 'E_COOKIE'],
    ['messages that no cookie holds', () => writing().flash('x'.repeat(5000)), 'E_COOKIE'],
  ])('%s', (_, write, code) => {
    expect(write).toThrow(expect.objectContaining({ code }));
  });

  it('says where the schema refuses, and never what', () => {
    const write = () => writing().session.set({ userId: 'the-secret' as never, name: 'x' });
    expect(write).toThrow(/at 'userId'/);
    expect(write).not.toThrow(/the-secret/);
  });

  it('after the answer was made', () => {
    const arrival = visitorsOf(plain).arrive();
    const { session: late, cookies, flash } = arrival.writing;
    arrival.headers();
    for (const write of [
      () => late.set(ada),
      () => late.clear(),
      () => cookies.set('a', 'b'),
      () => flash('x'),
    ])
      expect(write).toThrow(expect.objectContaining({ code: 'E_VISITOR_DONE' }));
  });
});

describe('cookies', () => {
  it('are decoded, and set with what keeps them from scripts and other sites', () => {
    const arrival = visitorsOf(plain).arrive('theme=dark%20blue; broken=%zz; __proto__=x');
    const { cookies } = arrival.writing;
    expect([
      cookies.get('theme'),
      cookies.get('broken'),
      cookies.get('none'),
      cookies.get('toString'),
    ]).toEqual(['dark blue', '%zz', undefined, undefined]);
    cookies.set('theme', 'light;', { maxAgeMs: 5500 });
    cookies.set('theme', 'grey');
    cookies.delete('old', { path: '/a' });
    expect(arrival.headers().map(([, value]) => value)).toEqual([
      'theme=grey; Path=/; HttpOnly; Secure; SameSite=Lax',
      'old=; Max-Age=0; Path=/a; HttpOnly; Secure; SameSite=Lax',
    ]);
  });
});

describe('a flash message', () => {
  it('is shown once, by whoever asks for it', () => {
    const { arrive } = visitorsOf(plain);
    const acting = arrive();
    acting.writing.flash('Saved.', 'success');
    acting.writing.flash('And told.');
    const cookie = pair(acting.headers(), '__Host-flash');
    const showing = arrive(cookie);
    expect(showing.personal.flashes()).toEqual([
      { kind: 'success', text: 'Saved.' },
      { kind: 'info', text: 'And told.' },
    ]);
    expect(showing.headers()[0]?.[1]).toContain('__Host-flash=; Max-Age=0');
    expect(arrive(cookie).headers()).toEqual([]);
    expect(arrive(undefined).personal.flashes()).toEqual([]);
  });

  it('that nobody has seen is not lost by the next one, and not kept for long', () => {
    const { arrive, clock } = visitorsOf(plain);
    const first = arrive();
    first.writing.flash('one');
    const second = arrive(pair(first.headers(), '__Host-flash'));
    second.writing.flash('two');
    const cookie = pair(second.headers(), '__Host-flash');
    expect(
      arrive(cookie)
        .personal.flashes()
        .map(({ text }) => text),
    ).toEqual(['one', 'two']);
    clock.advance(5 * 60_000);
    expect(arrive(cookie).personal.flashes()).toEqual([]);
  });
});

it('sessions without a secret are refused at start', () => {
  const make = () => new Visitors({ declaration: plain, clock: new ManualClock() });
  expect(make).toThrow(expect.objectContaining({ code: 'E_SESSION_SECRET' }));
  expect(() => new Visitors({ clock: new ManualClock() })).not.toThrow();
});
