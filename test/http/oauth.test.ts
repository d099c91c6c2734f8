// Signing in with a provider (OAuth 2.0, authorization code with PKCE): two endpoints that answer GET and write the session.
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { endpoint, redirect, session } from '../../src/index.ts';
import { type Site, startSite } from '../support/site.ts';

const SECRET = 'of the client';
let provider: Server;
let site: Site;
let at = '';
/** Codes that the provider gave out, with the challenge each must be redeemed by. */
const codes = new Map<string, string>();

const oneTime = () => randomBytes(24).toString('base64url');
const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');

const begin = endpoint({
  GET: ({ cookies }) => {
    const state = oneTime();
    const verifier = oneTime();
    cookies.set('oauth', `${state}.${verifier}`, { maxAgeMs: 600_000 });
    const asked = {
      response_type: 'code',
      state,
      code_challenge: challengeOf(verifier),
      code_challenge_method: 'S256',
    };
    return redirect(`${at}/authorize?${new URLSearchParams(asked)}`);
  },
});

const callback = endpoint({
  query: { code: z.string(), state: z.string() },
  GET: async ({ query, cookies, session, fetch }) => {
    const [state, verifier = ''] = cookies.get('oauth')?.split('.') ?? [];
    cookies.delete('oauth');
    if (state === undefined || state !== query.state) return new Response('Begin again.', { status: 400 });
    const body = new URLSearchParams({ code: query.code, code_verifier: verifier, client_secret: SECRET });
    const answer = await fetch(`${at}/token`, { method: 'POST', body });
    if (!answer.ok) return new Response('The provider said no.', { status: 403 });
    const { sub } = z.object({ sub: z.number() }).parse(await answer.json());
    session.set({ userId: sub } as never);
    return redirect('/me');
  },
});

const me = endpoint({
  GET: ({ session }) => ({ user: session.data ?? null }),
  DELETE: ({ session }) => session.clear() as undefined,
});

beforeAll(async () => {
  provider = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://provider');
    if (url.pathname === '/authorize') {
      const code = oneTime();
      codes.set(code, url.searchParams.get('code_challenge') ?? '');
      const back = new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' });
      response.writeHead(302, { location: `${site.origin}/sign-in/callback?${back}` }).end();
      return;
    }
    let text = '';
    for await (const chunk of request) text += chunk;
    const form = new URLSearchParams(text);
    const code = form.get('code') ?? '';
    const isRight =
      form.get('client_secret') === SECRET &&
      codes.get(code) === challengeOf(form.get('code_verifier') ?? '');
    codes.delete(code);
    response.writeHead(isRight ? 200 : 403).end(JSON.stringify({ sub: 17 }));
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  at = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  site = await startSite({
    session: session({ schema: z.object({ userId: z.number() }) }),
    pages: { 'sign-in/index': begin, 'sign-in/callback': callback, me },
  });
});
afterAll(async () => {
  await site.close();
  await new Promise((resolve) => provider.close(resolve));
});

const visit = (url: string, cookie = '') => fetch(url, { redirect: 'manual', headers: { cookie } });
const cookiesOf = (answer: Response) => answer.headers.getSetCookie().map((each) => each.split(';')[0] ?? '');

test('a visitor comes back from the provider signed in, and stays so', async () => {
  const away = await visit(`${site.origin}/sign-in`);
  expect(away.status).toBe(307);
  const [pending = ''] = cookiesOf(away);
  const back = await visit(away.headers.get('location') ?? '');
  const home = await visit(back.headers.get('location') ?? '', pending);
  expect([home.status, home.headers.get('location')]).toEqual([307, '/me']);
  expect(home.headers.get('cache-control')).toBe('no-store');
  const [, cookie = ''] = cookiesOf(home);
  expect(await (await visit(`${site.origin}/me`, cookie)).json()).toEqual({ user: { userId: 17 } });
  expect(await (await visit(`${site.origin}/me`)).json()).toEqual({ user: null });
  // The same address once more, by who has no pending sign-in, or another's.
  const again = await visit(back.headers.get('location') ?? '');
  expect(again.status).toBe(400);
  const twice = await visit(back.headers.get('location') ?? '', pending);
  expect([twice.status, cookiesOf(twice)]).toEqual([403, ['oauth=']]);
});

test('signing out needs a page of this site, and clears what the browser keeps', async () => {
  const ask = (headers: Record<string, string>) => fetch(`${site.origin}/me`, { method: 'DELETE', headers });
  expect((await ask({ 'sec-fetch-site': 'none' })).status).toBe(403);
  const out = await ask({ origin: site.origin });
  expect([out.status, out.headers.get('clear-site-data')]).toEqual([204, '"cache"']);
});
