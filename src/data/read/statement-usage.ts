// What statements cost, by the shape of their text. Values are never kept: a literal in the text counts as `?`.
import { Histogram } from '../../core/histogram.ts';
import type { Milliseconds } from '../../core/units.ts';
import { shapeOf } from '../statement-shape.ts';

export interface StatementStats {
  readonly text: string;
  readonly calls: number;
  readonly failures: number;
  /** Above SLOW_QUERY_MS. */
  readonly slow: number;
  readonly rows: number;
  readonly totalMs: Milliseconds;
}

export interface EndedStatement {
  readonly durationMs: Milliseconds;
  readonly failed: boolean;
  readonly slow: boolean;
  readonly rows: number;
}

type Use = { -readonly [K in keyof Omit<StatementStats, 'text'>]: number };

/** Texts that are told apart; what an application makes up beyond is counted together. */
const MAX_TEXTS = 500;
const MAX_SHAPE_LENGTH = 400;
const OTHER_STATEMENTS = '(other)';

/** May be cut at the end. */
function textOf(sql: string): string {
  const line = shapeOf(sql);
  return line.length <= MAX_SHAPE_LENGTH ? line : `${line.slice(0, MAX_SHAPE_LENGTH - 1)}…`;
}

export class StatementUsage {
  readonly #all = new Histogram();
  readonly #connects = new Histogram();
  #failures = 0;
  #slow = 0;
  readonly #texts = new Map<string, Use>();

  ended(sql: string, { durationMs, failed, slow, rows }: EndedStatement): void {
    this.#all.record(durationMs);
    if (failed) this.#failures++;
    if (slow) this.#slow++;
    const use = this.#of(sql);
    use.calls++;
    use.totalMs += durationMs;
    use.rows += rows;
    if (failed) use.failures++;
    if (slow) use.slow++;
  }

  /** How long a statement has waited for its connection. */
  connected(waitedMs: Milliseconds): void {
    this.#connects.record(waitedMs);
  }

  /** The `most` that took longest in all; the rest as one. */
  stats(most: number) {
    const byShape = new Map<string, Use>();
    for (const [sql, use] of this.#texts) {
      const shape = sql === OTHER_STATEMENTS ? sql : textOf(sql);
      const same = byShape.get(shape);
      byShape.set(shape, same === undefined ? use : add(same, use));
    }
    const sorted = [...byShape].sort(([, a], [, b]) => b.totalMs - a.totalMs);
    const top = sorted.filter(([shape]) => shape !== OTHER_STATEMENTS).slice(0, most);
    const shown = new Set(top.map(([shape]) => shape));
    const rest = sorted.filter(([shape]) => !shown.has(shape)).map(([, use]) => use);
    if (rest.length > 0) top.push([OTHER_STATEMENTS, rest.reduce(add)]);
    return {
      statements: this.#all.stats(),
      connects: this.#connects.stats(),
      failures: this.#failures,
      slow: this.#slow,
      top: top.map(([text, use]): StatementStats => ({ text, ...use })),
    };
  }

  #of(sql: string): Use {
    const known = this.#texts.get(sql);
    if (known !== undefined) return known;
    const isFull = this.#texts.size >= MAX_TEXTS && sql !== OTHER_STATEMENTS;
    if (isFull) return this.#of(OTHER_STATEMENTS);
    const use = { calls: 0, failures: 0, slow: 0, rows: 0, totalMs: 0 };
    this.#texts.set(sql, use);
    return use;
  }
}

function add(a: Use, b: Use): Use {
  return {
    calls: a.calls + b.calls,
    failures: a.failures + b.failures,
    slow: a.slow + b.slow,
    rows: a.rows + b.rows,
    totalMs: a.totalMs + b.totalMs,
  };
}
