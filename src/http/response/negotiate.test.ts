import { expect, test } from 'vitest';
import { EncodingChoice } from './negotiate.ts';

const choice = new EncodingChoice();

test.each([
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip, deflate, br, zstd', 'br,gzip,identity'],
  ['gzip', 'gzip,identity'],
  ['br;q=0.1, gzip;q=0.9', 'gzip,br,identity'],
  ['br;q=0, *', 'gzip,identity'],
  ['identity', 'identity'],
  ['identity;q=0', 'identity'],
  ['identity;q=0, gzip', 'gzip,identity'],
  ['*;q=0', 'identity'],
  ['GZIP', 'gzip,identity'],
  ['br;q=nonsense, ;;,', 'identity'],
])('Accept-Encoding: %s takes %s', (header, expected) => {
  expect(choice.preferred(header).join()).toBe(expected);
  expect(choice.preferred(header), 'remembered').toEqual(choice.preferred(header));
});

test('x-no-compression is honoured, whatever else is accepted', () => {
  expect(choice.preferred('br', true)).toEqual(['identity']);
});

test('a flood of header values is forgotten, and what browsers send is remembered after it', () => {
  const flooded = new EncodingChoice();
  for (let at = 0; at < 5000; at += 1) flooded.preferred(`gzip;q=0.${at}`);
  expect(flooded.remembered).toBeLessThanOrEqual(256);
  expect(flooded.preferred('gzip, br')).toBe(flooded.preferred('gzip, br'));
});

test('a value longer than any that is meant is read as none: to parse it costs more than it could save', () => {
  const gzip = 'gzip,'.repeat(51);
  expect(choice.preferred(`${gzip}b`)).toContain('gzip');
  for (const length of [257, 8000, 15_000]) {
    const value = 'gzip;q=0.5,'.repeat(2000).slice(0, length);
    expect(choice.preferred(value)).toEqual(['identity']);
  }
});
