import { describe, expect, it } from 'vitest';
import { Seals } from './seal.ts';

const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];
const seals = new Seals([OLD]);

describe('what was sealed', () => {
  it('opens for the same purpose and host, whatever text it is', () => {
    for (const text of ['', 'x', '{"a":"ä€😀"}', 'y'.repeat(2500)])
      expect(seals.open('session', 'a.example', seals.seal('session', 'a.example', text))).toBe(text);
  });

  it('opens for no other purpose, on no other host, and with no other secret', () => {
    const sealed = seals.seal('session', 'a.example', 'secret');
    expect(seals.open('flash', 'a.example', sealed)).toBeUndefined();
    expect(seals.open('session', 'b.example', sealed)).toBeUndefined();
    expect(new Seals([NEW]).open('session', 'a.example', sealed)).toBeUndefined();
  });

  it('opens after its secret was replaced, as long as that is kept as an old one', () => {
    const rotated = new Seals([NEW, OLD]);
    expect(rotated.open('session', 'h', seals.seal('session', 'h', 'before'))).toBe('before');
    const after = rotated.seal('session', 'h', 'after');
    expect(new Seals([NEW]).open('session', 'h', after)).toBe('after');
    expect(seals.open('session', 'h', after)).toBeUndefined();
  });

  it('does not open when one bit of it is another', () => {
    const bytes = Buffer.from(seals.seal('session', 'h', 'text'), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect(seals.open('session', 'h', forged.toString('base64url')), `byte ${at}`).toBeUndefined();
    }
  });

  it('is never the same twice', () => {
    expect(seals.seal('session', 'h', 'text')).not.toBe(seals.seal('session', 'h', 'text'));
  });
});

it('what is no seal at all opens as nothing', () => {
  for (const text of ['', 'a', 'AQ', '%%%', '{"a":1}', 'A'.repeat(60), 'A'.repeat(100_000), 'AQ==', 'ÄÄÄÄ'])
    expect(seals.open('session', 'h', text), text.slice(0, 20)).toBeUndefined();
});
