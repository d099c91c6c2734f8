// How long it takes to say no must not tell how much of a token was right. Clocks cannot show that reliably, so it is
// shown by the way of comparing: every comparison of a secret is one call of timingSafeEqual on digests of one length,
// whatever was given, and no source file compares one in another way.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test, vi } from 'vitest';

const compared = vi.hoisted(() => [] as [number, number][]);
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return {
    ...crypto,
    timingSafeEqual: (a: Buffer, b: Buffer) => {
      compared.push([a.length, b.length]);
      return crypto.timingSafeEqual(a, b);
    },
  };
});
const { sameSecret } = await import('../../src/operations/same-secret.ts');
const { DebugToken } = await import('../../src/http/request/debug-token.ts');

const TOKEN = 'a-token-of-sixteen';
const GUESSES = [
  '',
  'a',
  'x-token-of-sixteen',
  'a-token-of-sixteex',
  `${TOKEN}x`,
  'é',
  'a'.repeat(10_000),
  TOKEN,
];

beforeEach(() => void compared.splice(0));

test.each([
  ['the operations port', (given: string) => sameSecret(given, TOKEN)],
  [
    'an operator’s page request',
    (given: string) => new DebugToken(TOKEN).asks({ 'x-coherent-token': given }),
  ],
])('%s compares in constant time, however wrong the token is', (_, compare) => {
  for (const guess of GUESSES) {
    expect(compare(guess), guess.slice(0, 20)).toBe(guess === TOKEN);
    expect(compared.splice(0), guess.slice(0, 20)).toEqual([[32, 32]]);
  }
});

test('no source file compares a secret in another way', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const named = String.raw`[\w.#]*(?:[tT]oken|[sS]ecret|[sS]ignature|[dD]igest|password)\b`;
  const byOperator = new RegExp(
    String.raw`(?:${named}\s*[!=]==?\s*(?!undefined|null|'|typeof)\w)|(?:\b(?!undefined\b|null\b)[\w.#]+\s*[!=]==?\s*(?:this\.)?${named})`,
  );
  const found: string[] = [];
  for (const folder of ['src', 'workers']) {
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
      for (const line of readFileSync(join(root, folder, file), 'utf8').split('\n')) {
        if (byOperator.test(line) && !/typeof|undefined/.test(line))
          found.push(`${folder}/${file}: ${line.trim()}`);
      }
    }
  }
  expect(found).toEqual([]);
  // The rule bites.
  for (const wrong of ['given === token', 'this.#token === given', 'secret == x', 'a !== options.opsToken'])
    expect(byOperator.test(wrong), wrong).toBe(true);
});
