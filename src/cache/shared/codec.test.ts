import { describe, expect, test } from 'vitest';
import type { EntryHole } from '../entry.ts';
import { fragmentCodec, pageCodec } from './codec.ts';
import { open, seal } from './envelope.ts';
import { page } from './tier.contract.ts';

const now = 1_700_000_000_000;
const identity = Buffer.from('<p>Hello</p><p>Sign in</p>');

function reopened(holes: readonly EntryHole[]) {
  const value = page(now, { identity, holes, assets: ['/style.4f1c09ab.css'] });
  return open(pageCodec, 'k', seal(pageCodec, 'k', value, now, 1), now, 1);
}

const hole = (from: number, to: number): EntryHole => ({ name: 'greeting', from, to, props: '{"as":"ü"}' });

describe('a page entry in bytes', () => {
  test('has the holes and assets that it had', () => {
    const holes = [hole(3, 8), hole(15, 22)];
    expect(reopened(holes)).toMatchObject({ value: { holes, assets: ['/style.4f1c09ab.css'], identity } });
  });

  test('without holes and assets has no such fields', () => {
    const value = page(now, { identity });
    const opened = open(pageCodec, 'k', seal(pageCodec, 'k', value, now, 1), now, 1);
    expect('value' in opened && Object.keys(opened.value)).not.toContain('holes');
    expect('value' in opened && Object.keys(opened.value)).not.toContain('assets');
  });

  test.each([
    ['overlap', [hole(3, 8), hole(7, 9)]],
    ['end before they begin', [hole(8, 3)]],
    ['lie behind the body', [hole(3, identity.length + 1)]],
  ])('whose holes %s is not opened', (_, holes) => {
    expect(reopened(holes)).toEqual({ flaw: 'malformed' });
  });
});

test('a fragment in bytes names the assets that it had', () => {
  const { stamp, keys, createdMs, freshUntilMs, staleUntilMs, errorUntilMs } = page(now);
  const times = { createdMs, freshUntilMs, staleUntilMs, errorUntilMs };
  const value = { stamp, keys, ...times, html: '<img>', assets: ['/a.0.png'] };
  expect(open(fragmentCodec, 'k', seal(fragmentCodec, 'k', value, now, 1), now, 1)).toMatchObject({ value });
});
