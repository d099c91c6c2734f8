import { describe, expect, it } from 'vitest';
import { fullXid, isVisible, parseSnapshot } from './gate.ts';
import { formatLsn, parseLsn } from './lsn.ts';

describe('a snapshot', () => {
  const snapshot = parseSnapshot('100:110:103,105', 0);

  it('shows what ended before it, and nothing else', () => {
    expect([99, 100, 102, 104, 109].map((xid) => isVisible(xid, snapshot))).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect([103, 105, 110, 111].map((xid) => isVisible(xid, snapshot))).toEqual([false, false, false, false]);
  });

  it('judges ids of the log, which have 32 bits, on both sides of their wrap', () => {
    const wrap = 5n * 2n ** 32n;
    const around = parseSnapshot(`${wrap - 2n}:${wrap + 3n}:${wrap - 1n},${wrap + 1n}`, 0);
    const low = (xid: bigint) => Number(BigInt.asUintN(32, xid));
    expect(fullXid(low(wrap - 3n), wrap + 3n)).toBe(wrap - 3n);
    expect(isVisible(low(wrap - 3n), around)).toBe(true);
    expect(isVisible(low(wrap - 1n), around)).toBe(false);
    expect(isVisible(low(wrap), around)).toBe(true);
    expect(isVisible(low(wrap + 1n), around)).toBe(false);
    expect(isVisible(low(wrap + 3n), around)).toBe(false);
  });
});

it('a position in the log is written as Postgres writes it', () => {
  for (const text of ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF'])
    expect(formatLsn(parseLsn(text))).toBe(text);
});
