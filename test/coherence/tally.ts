// Counts of one fault, or of all.
import type { Milliseconds } from '../../src/core/units.ts';

export class Tally {
  readonly name: string;
  violations = 0;
  errors = 0;
  unanswered = 0;
  staleIfError = 0;
  rows = 0;
  renders = 0;
  slowestMs: Milliseconds = 0;
  readonly workers = new Set<number>();
  #staleness: Milliseconds[] = [];
  #sorted = true;

  constructor(name: string) {
    this.name = name;
  }

  get reads(): number {
    return this.#staleness.length;
  }

  add(worker: number, rows: number, stalenessMs: Milliseconds, cacheStatus: string): true {
    this.rows += rows;
    this.workers.add(worker);
    if (cacheStatus.includes('fwd=')) this.renders++;
    this.#staleness.push(stalenessMs);
    this.#sorted = false;
    return true;
  }

  include(other: Tally): void {
    this.violations += other.violations;
    this.errors += other.errors;
    this.unanswered += other.unanswered;
    this.staleIfError += other.staleIfError;
    this.rows += other.rows;
    this.renders += other.renders;
    this.slowestMs = Math.max(this.slowestMs, other.slowestMs);
    for (const worker of other.workers) this.workers.add(worker);
    for (const each of other.#staleness) this.#staleness.push(each);
    this.#sorted = false;
  }

  /** Of all reads, those that were up to date included. */
  quantile(share: number): Milliseconds {
    if (!this.#sorted) this.#staleness.sort((a, b) => a - b);
    this.#sorted = true;
    return this.#staleness[Math.min(this.reads - 1, Math.floor(share * this.reads))] ?? 0;
  }

  shareAbove(ms: Milliseconds): number {
    return this.reads === 0 ? 0 : this.#staleness.filter((each) => each > ms).length / this.reads;
  }
}

const COLUMNS = [
  'fault',
  'reads',
  'rows',
  'violations',
  'p50',
  'p99',
  'max ms',
  '>5 ms',
  '>50 ms',
  '>250 ms',
  'renders',
  'stale-if-error',
  'errors',
  'unanswered',
  'slowest',
] as const;

export function table(tallies: readonly Tally[]): string {
  const rows = [[...COLUMNS], ...tallies.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

/** The same for a document. */
export function markdown(tallies: readonly Tally[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = COLUMNS.map((_, column) => (column === 0 ? '---' : '---:'));
  return [COLUMNS, rule, ...tallies.map(cells)].map(line).join('\n');
}

function cells(tally: Tally): string[] {
  const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0);
  const percent = (value: number) => `${(100 * value).toFixed(2)}%`;
  return [
    tally.name,
    String(tally.reads),
    String(tally.rows),
    String(tally.violations),
    ms(tally.quantile(0.5)),
    ms(tally.quantile(0.99)),
    ms(tally.quantile(1)),
    percent(tally.shareAbove(5)),
    percent(tally.shareAbove(50)),
    percent(tally.shareAbove(250)),
    String(tally.renders),
    String(tally.staleIfError),
    String(tally.errors),
    String(tally.unanswered),
    `${(tally.slowestMs / 1000).toFixed(1)} s`,
  ];
}
