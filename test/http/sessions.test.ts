// Sessions over HTTP: who signs in stays signed in, and nobody else is.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { invalid, page, redirect, session } from '../../src/index.ts';
import { noWriting, type Site, type SiteOptions, startSite } from '../support/site.ts';

const schema = z.object({ userId: z.number(), name: z.string() });

const desk = page({
  form: { do: z.string() },
  action: ({ form, session, cookies, flash, header }) => {
    if (form.do === 'in') session.set({ userId: 17, name: 'Maren' });
    if (form.do === 'out') session.clear();
    if (form.do === 'theme') cookies.set('theme', 'dark');
    if (form.do === 'say') flash('Hello.');
    if (form.do === 'fails') {
      session.set({ userId: 17, name: 'Maren' });
      throw new Error('after all');
    }
    if (form.do === 'refused') {
      cookies.set('tries', '1');
      return invalid({ do: 'No.' });
    }
    return redirect(`/is/${nameIn(session.data)}/${header('x-note') ?? '-'}`);
  },
  view: () => ({ p: 'desk' }),
});

const nameIn = (data: unknown) => schema.safeParse(data).data?.name ?? 'nobody';

let site: Site;
const start = async (more: SiteOptions = {}) => {
  site = await startSite({
    pages: { index: desk },
    session: session({ schema }),
    writing: noWriting,
    ...more,
  });
};
beforeEach(() => start());
afterEach(() => site.close());

function post(what: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(site.origin, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: site.origin, ...headers },
    body: new URLSearchParams({ do: what }),
  });
}

const who = (answer: Response) => answer.headers.get('location')?.split('/')[2];
const cookieOf = (answer: Response) => (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';

it('an action signs in, reads it in the next request, and signs out', async () => {
  const signedIn = await post('in');
  expect(signedIn.status).toBe(303);
  expect(who(signedIn)).toBe('Maren');
  expect(signedIn.headers.getSetCookie()).toHaveLength(1);
  expect(signedIn.headers.get('cache-control')).toBe('no-store');
  const cookie = cookieOf(signedIn);
  expect(who(await post('look', { cookie }))).toBe('Maren');
  expect(who(await post('look'))).toBe('nobody');
  const out = await post('out', { cookie });
  expect(out.headers.getSetCookie()).toEqual(['session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
  expect(out.headers.get('clear-site-data')).toBe('"cache"');
});

it('cookies and messages go out with redirects and with pages that are shown again', async () => {
  expect(cookieOf(await post('theme'))).toBe('theme=dark');
  expect(cookieOf(await post('say'))).toMatch(/^flash=[\w-]+$/);
  const again = await post('refused');
  expect([again.status, cookieOf(again)]).toEqual([422, 'tries=1']);
});

it('an action that fails signs nobody in', async () => {
  const failed = await post('fails');
  expect([failed.status, failed.headers.getSetCookie()]).toEqual([500, []]);
});

it('behind a proxy that ends TLS the cookie is bound to this host by its name; from anybody else the header means nothing', async () => {
  const forwarded = { 'x-forwarded-proto': 'https' };
  expect(cookieOf(await post('in', forwarded))).toMatch(/^session=/);
  await site.close();
  await start({ trustProxy: { trustedProxies: '127.0.0.1/32' } });
  const secure = await post('in', forwarded);
  expect(secure.headers.getSetCookie()[0]).toMatch(/^__Host-session=.*Secure/);
  const cookie = cookieOf(secure);
  expect(who(await post('look', { ...forwarded, cookie }))).toBe('Maren');
  // The same visitor over plain HTTP: what was given over TLS is not read, nor the other way round.
  expect(who(await post('look', { cookie }))).toBe('nobody');
  const plain = cookieOf(await post('in'));
  expect(who(await post('look', { ...forwarded, cookie: plain }))).toBe('nobody');
});

it('nothing of a session is logged', async () => {
  const cookie = cookieOf(await post('in'));
  await post('fails', { cookie });
  expect(site.log.lines.length).toBeGreaterThan(0);
  expect(JSON.stringify(site.log.lines)).not.toContain(cookie.split('=')[1]);
});
