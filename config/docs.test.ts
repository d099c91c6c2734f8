import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configurationDocs } from './docs.ts';

test('docs/configuration.md says what the table says (npm run build && node scripts/write-configuration-docs.mjs)', () => {
  const written = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
  expect(written).toBe(configurationDocs());
});
