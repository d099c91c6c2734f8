// Webhooks: signed by three schemes, forged, replayed, late; and acted on once by a table of ids.
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { Database } from '../../src/data/read/database.ts';
import { endpoint, signed } from '../../src/index.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { silent } from '../support/silent.ts';
import { type Site, startSite } from '../support/site.ts';

let held: TestDatabase;
let database: Database;
let site: Site;

const event = z.object({ id: z.string(), type: z.string(), amount: z.number() });
const STANDARD = Buffer.from('of the standard scheme').toString('base64');

const stripe = endpoint({
  from: 'anywhere',
  POST: {
    body: signed({ scheme: 'stripe', secret: ['new', 'old'], schema: event }),
    handler: async ({ body: { payload }, db }) => {
      const isNew = await db.transaction(async (tx) => {
        const seen = await tx.execute('insert into events values ($1) on conflict do nothing', [payload.id]);
        if (seen === 1) await tx.execute('update total set amount = amount + $1', [payload.amount]);
        return seen === 1;
      });
      return { isNew };
    },
  },
});

beforeAll(async () => {
  held = await testDatabase(
    'create table events (id text primary key); create table total (amount int); insert into total values (0)',
  );
  database = new Database({ connectionString: held.url, logger: silent, clock: systemClock });
});
afterAll(async () => {
  await database.close();
  await held.close();
});
beforeEach(async () => {
  await held.query('truncate events; update total set amount = 0');
  site = await startSite({
    writing: {
      writeScope: (signal) => database.writeScope(signal),
      visible: () => Promise.reject(new Error('no')),
    },
    pages: {
      stripe,
      github: endpoint({
        from: 'anywhere',
        POST: {
          body: signed({ scheme: 'github', secret: 'g' }),
          handler: ({ body }) => ({ got: body.payload }),
        },
      }),
      standard: endpoint({
        from: 'anywhere',
        POST: {
          body: signed({ scheme: 'standard', secret: `whsec_${STANDARD}` }),
          handler: ({ body }) => ({ id: body.id }),
        },
      }),
    },
  });
});
afterEach(() => site.close());

const hmac = (secret: string | Buffer, text: string) => createHmac('sha256', secret).update(text).digest();
const text = JSON.stringify({ id: 'evt_1', type: 'paid', amount: 100 });
const now = () => Math.floor(Date.now() / 1000);
function stripeHeader(body: string, { at = now(), secret = 'new' } = {}): string {
  return `t=${at},v1=${hmac(secret, `${at}.${body}`).toString('hex')}`;
}
function post(path: string, body: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${site.origin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}
const total = async () => (await held.query<{ amount: number }>('select amount from total'))[0]?.amount;

test('a signed message is acted on once, however often it is delivered', async () => {
  const headers = { 'stripe-signature': stripeHeader(text) };
  expect(await (await post('/stripe', text, headers)).json()).toEqual({ isNew: true });
  expect(await (await post('/stripe', text, headers)).json()).toEqual({ isNew: false });
  const both = await Promise.all(
    [1, 2, 3].map(() =>
      post('/stripe', text.replace('evt_1', 'evt_2'), {
        'stripe-signature': stripeHeader(text.replace('evt_1', 'evt_2'), { secret: 'old' }),
      }),
    ),
  );
  expect(both.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await total()).toBe(200);
});

it.each([
  ['of another body', () => ({ 'stripe-signature': stripeHeader(`${text} `) })],
  ['by another secret', () => ({ 'stripe-signature': stripeHeader(text, { secret: 'guess' }) })],
  ['six minutes old', () => ({ 'stripe-signature': stripeHeader(text, { at: now() - 360 }) })],
  ['from in six minutes', () => ({ 'stripe-signature': stripeHeader(text, { at: now() + 360 }) })],
  [
    'recorded, with a new time',
    () => ({ 'stripe-signature': stripeHeader(text, { at: now() - 360 }).replace(/t=\d+/, `t=${now()}`) }),
  ],
  ['with two times', () => ({ 'stripe-signature': `t=${now()},${stripeHeader(text, { at: now() - 360 })}` })],
  ['without a time', () => ({ 'stripe-signature': stripeHeader(text).replace(/t=\d+,/, '') })],
  [
    'of a time that is no number',
    () => ({ 'stripe-signature': `t=NaN,v1=${hmac('new', `NaN.${text}`).toString('hex')}` }),
  ],
  ['empty', () => ({ 'stripe-signature': '' })],
  ['very long', () => ({ 'stripe-signature': `${stripeHeader(text)},v1=${'0'.repeat(4000)}` })],
  ['not there', () => ({})],
])('a message whose signature is %s is refused, and nothing is run', async (_, headers) => {
  const answer = await post('/stripe', text, headers() as Record<string, string>);
  expect(answer.status).toBe(401);
  expect(await total()).toBe(0);
});

test('a message that is signed and says what is not expected is 422', async () => {
  const odd = '{"id":1}';
  expect((await post('/stripe', odd, { 'stripe-signature': stripeHeader(odd) })).status).toBe(422);
  expect((await post('/stripe', '{', { 'stripe-signature': stripeHeader('{') })).status).toBe(400);
});

test('other schemes', async () => {
  const hub = { 'x-hub-signature-256': `sha256=${hmac('g', '{"a":1}').toString('hex')}` };
  expect(await (await post('/github', '{"a":1}', hub)).json()).toEqual({ got: { a: 1 } });
  expect((await post('/github', '{"a":2}', hub)).status).toBe(401);
  const seconds = String(now());
  const signature = hmac(Buffer.from(STANDARD, 'base64'), `m1.${seconds}.{}`).toString('base64');
  const standard = {
    'webhook-id': 'm1',
    'webhook-timestamp': seconds,
    'webhook-signature': `v1,AAAA v1,${signature}`,
  };
  expect(await (await post('/standard', '{}', standard)).json()).toEqual({ id: 'm1' });
  expect((await post('/standard', '{}', { ...standard, 'webhook-id': 'm2' })).status).toBe(401);
});

test('an empty secret is an error at start: with it everybody could sign', () => {
  expect(() => signed({ scheme: 'stripe', secret: '' })).toThrow(/empty/);
  expect(() => signed({ scheme: 'stripe', secret: [] })).toThrow(/empty/);
});
