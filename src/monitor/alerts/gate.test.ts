import { describe, expect, it } from 'vitest';
import { Gate, type Level } from './gate.ts';

const times = { holdMs: 30, clearMs: 60 };

/** One step every 10 ms; the changes with their moments. */
function run(levels: readonly Level[]): string[] {
  const gate = new Gate();
  return levels.flatMap((level, index) => {
    const change = gate.step(level, index * 10, times);
    return change === undefined ? [] : [`${change} at ${index * 10}`];
  });
}
const steps = (level: Level, count: number) => Array.from({ length: count }, () => level);

describe('a gate', () => {
  it('raises once it was over for the whole hold', () => {
    expect(run(steps('over', 50))).toEqual(['raised at 30']);
  });

  it('does not raise for a peak', () => {
    expect(run([...steps('over', 3), 'between', ...steps('over', 3), 'well'])).toEqual([]);
  });

  it('resolves once it was well for the whole clearing', () => {
    expect(run([...steps('over', 5), ...steps('well', 20)])).toEqual(['raised at 30', 'resolved at 110']);
  });

  it('does not flap about the limit', () => {
    const trembling = Array.from({ length: 300 }, (_, i): Level => (i % 2 === 0 ? 'over' : 'between'));
    expect(run([...steps('over', 4), ...trembling])).toEqual(['raised at 30']);
    expect(run([...steps('over', 4), ...steps('between', 50)])).toEqual(['raised at 30']);
    const dipping = Array.from({ length: 300 }, (_, i): Level => (i % 5 === 0 ? 'over' : 'well'));
    expect(run([...steps('over', 4), ...dipping])).toEqual(['raised at 30']);
  });
});
