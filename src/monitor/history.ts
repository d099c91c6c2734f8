// A bounded past: one row of numbers every few seconds, by columns, in memory that is taken once and never grows.
// 720 rows (an hour at 5 s) of 30 columns are 173 KB; a row is added without allocating.
import type { Milliseconds } from '../core/units.ts';
import type { Point } from './trend.ts';

export class History<Column extends string> {
  readonly #columns: ReadonlyMap<Column, Float64Array>;
  readonly #atMs: Float64Array;
  readonly #capacity: number;
  #added = 0;

  constructor(columns: readonly Column[], capacity: number) {
    this.#capacity = capacity;
    this.#atMs = new Float64Array(capacity);
    this.#columns = new Map(columns.map((column) => [column, new Float64Array(capacity)]));
  }

  /** `atMs` is monotonic and rises. */
  add(atMs: Milliseconds, row: Readonly<Record<Column, number>>): void {
    const slot = this.#added % this.#capacity;
    this.#atMs[slot] = atMs;
    for (const [column, values] of this.#columns) values[slot] = row[column];
    this.#added++;
  }

  get length(): number {
    return Math.min(this.#added, this.#capacity);
  }

  latest(column: Column): number | undefined {
    return this.#value(column, this.length - 1);
  }

  /** How far back it reaches within `windowMs`. */
  spanMs(windowMs: Milliseconds): Milliseconds {
    const last = this.#time(this.length - 1);
    return last === undefined ? 0 : last - (this.#time(this.#first(windowMs)) ?? last);
  }

  /**
   * What a counter has gained within the last `windowMs`. A counter that falls began anew (every worker that counted
   * is gone): what it has since counted is its gain.
   */
  increase(column: Column, windowMs: Milliseconds): number {
    let gained = 0;
    for (let index = this.#first(windowMs) + 1; index < this.length; index++) {
      const before = this.#value(column, index - 1) ?? 0;
      const after = this.#value(column, index) ?? 0;
      gained += after >= before ? after - before : after;
    }
    return gained;
  }

  /** Undefined until there are two rows to compare. */
  perSecond(column: Column, windowMs: Milliseconds): number | undefined {
    const spanMs = this.spanMs(windowMs);
    return spanMs === 0 ? undefined : (this.increase(column, windowMs) * 1000) / spanMs;
  }

  /** The highest of the last `windowMs`. */
  highest(column: Column, windowMs: Milliseconds): number | undefined {
    const values = this.points(column, windowMs).map(({ value }) => value);
    return values.length === 0 ? undefined : Math.max(...values);
  }

  /** Oldest first. */
  points(column: Column, windowMs: Milliseconds): Point[] {
    const points: Point[] = [];
    for (let index = this.#first(windowMs); index < this.length; index++) {
      const at = this.#time(index);
      const value = this.#value(column, index);
      if (at !== undefined && value !== undefined && !Number.isNaN(value)) points.push({ at, value });
    }
    return points;
  }

  /** The index of the oldest row that is no older than this. */
  #first(windowMs: Milliseconds): number {
    const last = this.#time(this.length - 1);
    if (last === undefined) return 0;
    let index = this.length - 1;
    while (index > 0 && (this.#time(index - 1) ?? Number.NEGATIVE_INFINITY) >= last - windowMs) index--;
    return index;
  }

  #time(index: number): Milliseconds | undefined {
    return index < 0 ? undefined : this.#atMs[this.#slot(index)];
  }

  #value(column: Column, index: number): number | undefined {
    return index < 0 ? undefined : this.#columns.get(column)?.[this.#slot(index)];
  }

  #slot(index: number): number {
    return this.#added <= this.#capacity ? index : (this.#added + index) % this.#capacity;
  }
}
