import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { errorFields, lineFields } from './log-fields.ts';

const SECRET = 'a-secret-of-somebody';

function written(fields: Record<string, unknown>): string {
  return JSON.stringify(lineFields(fields));
}

it('writes of an error what it is called, what it says, its codes, its frames and its causes', () => {
  const error = Object.assign(new Error('it broke', { cause: new TypeError('why') }), { code: 'E_BROKEN' });
  expect(errorFields(error)).toMatchObject({
    type: 'Error',
    message: 'it broke',
    code: 'E_BROKEN',
    cause: { type: 'TypeError', message: 'why' },
  });
  expect(errorFields(error).stack).toMatch(/^ {4}at .*log-fields\.test\.ts/);
});

it.each(['detail', 'where', 'hint', 'parameters', 'request', 'config', 'internalQuery'])(
  'does not write what an error has under %s',
  (name) => {
    const cause = Object.assign(new Error('insert failed'), {
      [name]: `Key (email)=(${SECRET})`,
      code: '23505',
    });
    expect(written({ err: new Error('a page failed', { cause }) })).not.toContain(SECRET);
  },
);

it('leaves out the value that Postgres quotes in the message of a wrong value, also one with quotes in it', () => {
  const driver = Object.assign(
    new Error(`invalid input syntax for type integer: "${SECRET} "x" ${SECRET}"`),
    {
      code: '22P02',
    },
  );
  const own = Object.assign(
    new Error(`${driver.message} [22P02] in: select "name" from users where id = $1`),
    {
      sqlState: '22P02',
      code: 'E_BAD_VALUE',
    },
  );
  expect(written({ err: Object.assign(own, { cause: driver }) })).not.toContain(SECRET);
  expect(errorFields(own).message).toBe(
    'invalid input syntax for type integer: "…" [22P02] in: select "name" from users where id = $1',
  );
});

it('keeps the names that other messages of Postgres quote', () => {
  const error = Object.assign(new Error('relation "users" does not exist'), { code: '42P01' });
  expect(errorFields(error).message).toBe('relation "users" does not exist');
});

it('takes user and password out of addresses, wherever they stand', () => {
  const text = `cannot reach postgres://app:${SECRET}@db:5432/app?x=1`;
  expect(written({ err: new Error(text), why: text, notes: [text] })).not.toContain(SECRET);
  expect(errorFields(new Error(text)).message).toBe('cannot reach postgres://…@db:5432/app?x=1');
});

it('does not spell out objects: not a request, not its headers, not a map or a URL', () => {
  const request = new IncomingMessage(new Socket());
  request.headers = { cookie: SECRET };
  request.url = `/?token=${SECRET}`;
  const fields = {
    request,
    headers: request.headers,
    list: [{ cookie: SECRET }],
    url: new URL(`http://h/?${SECRET}`),
    headersMap: new Map([['cookie', SECRET]]),
    bytes: Buffer.from(SECRET),
  };
  const line = written(fields);
  expect(line).not.toContain(SECRET);
  expect(line).not.toContain(Buffer.from(SECRET).toString('base64'));
});

it('survives what cannot be read, and errors without end', () => {
  const loop: Error & { cause?: unknown } = new Error('loop');
  loop.cause = loop;
  const hostile = new Proxy(new Error('x'), {
    get() {
      throw new Error('no');
    },
  });
  for (const err of [loop, hostile, undefined, null, 7, Symbol('s'), { message: SECRET }, 'text'])
    expect(written({ err })).not.toContain(SECRET);
});

it('writes plain values as they are, large numbers as text, long text cut', () => {
  expect(lineFields({ a: 1, b: 'x', c: true, d: null, e: 2n ** 70n, f: ['p', 1] })).toEqual({
    a: 1,
    b: 'x',
    c: true,
    d: null,
    e: String(2n ** 70n),
    f: ['p', 1],
  });
  expect(String(lineFields({ a: 'x'.repeat(100_000) }).a).length).toBeLessThan(5000);
  expect(lineFields({ before: { system: 's', timeline: 1, inside: { a: 1 } } })).toEqual({
    before: { system: 's', timeline: 1, inside: '[object]' },
  });
});
