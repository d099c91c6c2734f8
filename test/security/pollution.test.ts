// No input puts a property on an object that it did not come in: not a query, not JSON, not a message.
import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  readFromFeed,
  readFromPrimary,
  readFromServices,
  readFromWorker,
} from '../../src/host-link/messages.ts';
import { readOperationsFromWorker, readQuestion } from '../../src/host-link/operations-messages.ts';
import { page } from '../../src/index.ts';
import { readJson } from '../../src/operations/json-body.ts';
import { Operations } from '../../src/operations/operations.ts';
import { parseInputs } from '../../src/page/application/inputs.ts';
import { json } from '../../src/render/trust.ts';
import { startSite } from '../support/site.ts';

/** As an attacker writes them: own properties by these names, which no literal can have. */
const POISON = [
  '{"__proto__":{"polluted":"yes"}}',
  '{"constructor":{"prototype":{"polluted":"yes"}}}',
  '{"keys":["a"],"__proto__":{"wait":true,"polluted":"yes"}}',
  '{"keys":["a"],"patterns":{"__proto__":{"polluted":"yes"}}}',
  '{"keys":{"__proto__":{"length":1,"0":"a"},"polluted":"yes"}}',
  '[{"__proto__":{"polluted":"yes"}}]',
];

afterEach(() => {
  const fresh: Record<string, unknown> = {};
  expect(fresh.polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Reflect.get([], 'polluted')).toBeUndefined();
});

describe('a query', () => {
  const shape = { q: z.string().default('-'), toString: z.string().default('-') };
  const parse = (query: string) =>
    parseInputs({ params: {}, query: shape, vary: [] }, { params: {}, query, header: () => undefined });

  test.each([
    '__proto__=yes',
    '__proto__[polluted]=yes',
    'constructor[prototype][polluted]=yes',
    '__proto__.polluted=yes',
    'hasOwnProperty=yes&valueOf=yes',
  ])('%s gives a page nothing', async (query) => {
    const defaults = { q: '-', toString: '-' };
    expect(await parse(query)).toEqual({ params: {}, query: defaults, headers: {}, variants: {} });
  });

  test('may have a parameter by the name of what every object has', async () => {
    expect(await parse('toString=x')).toMatchObject({ query: { q: '-', toString: 'x' } });
  });
});

test('a page’s inputs have no prototype of the visitor’s making', async () => {
  const seen: unknown[] = [];
  const index = page({
    query: { data: z.string().transform((text) => JSON.parse(text)) },
    load: ({ query }) => void seen.push(query.data),
    view: () => 'x',
  });
  const site = await startSite({ pages: { index } });
  for (const text of POISON) await (await fetch(`${site.origin}/?data=${encodeURIComponent(text)}`)).text();
  await site.close();
  for (const data of seen) expect(Reflect.get(Object(data), 'polluted')).toBeUndefined();
});

describe('JSON that is posted', () => {
  const schema = z.strictObject({ keys: z.array(z.string()).default([]), wait: z.boolean().default(false) });

  test.each(POISON)('%s is refused, or is what it says and no more', async (text) => {
    const operations = new Operations({ host: '127.0.0.1', port: 0, token: undefined });
    const read: unknown[] = [];
    operations.route({
      method: 'POST',
      path: '/try',
      handler: async (asked) => {
        const body = await readJson(asked, schema, 1000);
        if ('refused' in body) return body.refused;
        read.push(body.value);
        return { status: 200, body: 'taken' };
      },
    });
    const port = await operations.start();
    const status = await new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', method: 'POST', path: '/try', agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end(text);
    });
    await operations.close();
    expect(status).toBe(400);
    expect(read).toEqual([]);
  });
});

describe('a message between processes', () => {
  const readers = {
    readFromWorker,
    readFromPrimary,
    readFromServices,
    readFromFeed,
    readOperationsFromWorker,
    readQuestion,
  };

  test.each(Object.entries(readers))('%s takes what is declared and no prototype', (_, read) => {
    for (const text of [
      ...POISON,
      '{"type":"room","room":"__proto__","body":{"__proto__":{"polluted":"yes"}}}',
      '{"type":"figures","figures":{"__proto__":1,"a":2}}',
      '{"type":"welcome","slot":0,"config":{"__proto__":{"polluted":"yes"}}}',
      '{"ask":"purge","id":1,"keys":["__proto__"],"kind":"purge","wait":false,"timeoutMs":1,"__proto__":{"polluted":1}}',
      '{"say":"answer","id":1,"status":200,"body":{},"__proto__":{"polluted":1}}',
    ]) {
      const message = Object(read(JSON.parse(text)));
      expect(Reflect.get(message, 'polluted'), text).toBeUndefined();
      for (const value of Object.values(message)) {
        if (value === null || typeof value !== 'object' || Object.hasOwn(value, '__proto__')) continue;
        expect(Reflect.get(value, 'polluted'), text).toBeUndefined();
      }
    }
  });
});

test('a block of data keeps the name __proto__ a name, and markup a text', () => {
  const block = String(json(JSON.parse('{"__proto__":{"polluted":"</script><script>"}}')));
  expect(block).not.toContain('<');
  const parsed = JSON.parse(block);
  expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
  expect(parsed.polluted).toBeUndefined();
});
