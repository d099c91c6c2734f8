import { describe, expect, it } from 'vitest';
import { canonical, type ValueKind } from './keys-value.ts';

const same: readonly [ValueKind, string, readonly unknown[]][] = [
  ['int', '17', [17, 17n, '17', ' +017 ', '0017']],
  ['int', '0', [0, -0, '-0', '000']],
  ['numeric', '1.5', ['1.5', '1.50', '+01.500', 1.5]],
  ['numeric', '0', ['0', '-0.00', '.0', 0]],
  ['numeric', '-12', ['-12', '-012.0']],
  ['bool', 't', [true, 't', 'TRUE', ' yes', 'on', '1']],
  [
    'uuid',
    '11111111-aaaa-4bbb-8ccc-111111111111',
    ['11111111-AAAA-4BBB-8CCC-111111111111', '{11111111aaaa4bbb8ccc111111111111}'],
  ],
  ['char', 'ab', ['ab', 'ab   ']],
  ['text', 'ab ', ['ab ']],
  ['date', '2026-01-02', ['2026-01-02']],
];

const refused: readonly [ValueKind, readonly unknown[]][] = [
  ['int', [1.5, '17.0', '1e1', '0x11', 1e21, Number.NaN, true, {}, [1]]],
  ['numeric', ['NaN', '1e5', 'Infinity', '.', '', true]],
  ['bool', ['maybe', 1, 'tr']],
  ['uuid', ['1', 17]],
  ['date', ['today', '02.01.2026', new Date(0), '12026-01-01']],
  ['text', [17, true, new Date(0)]],
];

describe('the canonical text of a value', () => {
  it.each(same)('of kind %s is %s however it is written', (kind, text, values) => {
    for (const value of values) expect(canonical(kind, value)).toBe(text);
  });

  it.each(refused)('of kind %s is not promised where Postgres may read it otherwise', (kind, values) => {
    for (const value of values) expect(canonical(kind, value)).toBeUndefined();
  });
});
