// Results as rows: printed, written to docs/benchmarks.md, drawn.
import { type Figures, median } from './load.ts';

export interface Table {
  readonly title: string;
  /** How it was measured, and what to keep in mind when reading it. */
  readonly notes: readonly string[];
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Instead of rows: what a program of its own has printed. */
  readonly verbatim?: string;
  /** Bars of one figure, drawn where it helps. */
  readonly bars?: {
    readonly unit: string;
    readonly values: readonly { readonly name: string; readonly value: number }[];
  };
}

/** CPU per request of each, and how many requests it answers for the CPU time that the first spends on one. */
export function cpuTable(title: string, notes: readonly string[], stats: readonly Figures[]): Table {
  const [reference] = stats;
  return {
    title,
    notes,
    columns: ['server', 'CPU us/request', 'least', 'most', `times ${reference?.name}`, 'what it is'],
    rows: stats.map(({ name, what, cpu }) => {
      const micros = [median(cpu), Math.min(...cpu), Math.max(...cpu)].map((value) => value.toFixed(1));
      return [name, ...micros, ratio(reference?.cpu ?? [], cpu).toFixed(2), what];
    }),
    bars: { unit: 'CPU us/request', values: stats.map(({ name, cpu }) => ({ name, value: median(cpu) })) },
  };
}

/** The median over the rounds: what was measured side by side is compared. */
function ratio(reference: readonly number[], cpu: readonly number[]): number {
  return median(cpu.map((value, round) => (reference[round] ?? Number.NaN) / value));
}

export function markdown({ title, notes, columns, rows, verbatim }: Table, image?: string): string {
  if (verbatim !== undefined) return `## ${title}\n\n${notes.join('\n')}\n\n\`\`\`\n${verbatim}\n\`\`\`\n`;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    line(columns),
    line(columns.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...rows.map(line),
  ];
  const snapshot = image === undefined ? '' : `\n![${title}](${image})\n`;
  return `## ${title}\n\n${notes.join('\n')}\n\n${lines.join('\n')}\n${snapshot}`;
}

export function text({ title, columns, rows, verbatim }: Table): string {
  if (verbatim !== undefined) return `\n${title}\n${verbatim}\n`;
  const all = [columns, ...rows];
  const widths = columns.map((_, index) =>
    Math.min(44, Math.max(...all.map((row) => row[index]?.length ?? 0))),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ');
  return `\n${title}\n${all.map(line).join('\n')}\n`;
}
