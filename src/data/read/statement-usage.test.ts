import { describe, expect, it } from 'vitest';
import { StatementUsage } from './statement-usage.ts';

const ended = { durationMs: 2, failed: false, slow: false, rows: 1 };

describe('what statements cost', () => {
  it('is counted by shape: values in the text make no other statement', () => {
    const usage = new StatementUsage();
    usage.ended("SELECT 'a'", ended);
    usage.ended("SELECT 'b'", { ...ended, slow: true, failed: true, durationMs: 200 });
    usage.connected(3);
    expect(usage.stats(10)).toMatchObject({
      statements: { count: 2, sumMs: 202 },
      connects: { count: 1, sumMs: 3 },
      failures: 1,
      slow: 1,
      top: [{ text: 'SELECT ?', calls: 2, rows: 2, totalMs: 202, slow: 1, failures: 1 }],
    });
  });

  it('tells those apart that took longest, and the rest as one', () => {
    const usage = new StatementUsage();
    for (const [index, name] of ['a', 'b', 'c'].entries())
      usage.ended(`SELECT ${name}`, { ...ended, durationMs: index });
    expect(usage.stats(1).top.map(({ text, calls }) => [text, calls])).toEqual([
      ['SELECT c', 1],
      ['(other)', 2],
    ]);
  });

  it('keeps no more texts than it may, however many an application makes up', () => {
    const usage = new StatementUsage();
    for (let index = 0; index < 2000; index++) usage.ended(`SELECT a${index}`, ended);
    const { top, statements } = usage.stats(10_000);
    expect(top).toHaveLength(501);
    expect(top.reduce((sum, { calls }) => sum + calls, 0)).toBe(2000);
    expect(statements.count).toBe(2000);
  });
});
