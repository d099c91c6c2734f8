// The tables of docs/reliability.md.
import type { Attack } from '../security/matrix.ts';
import type { Boot } from './boots.ts';
import type { Played } from './play.ts';

export interface PlayedBoot {
  readonly boot: Boot;
  readonly found: Readonly<Record<string, number | string | null>>;
  readonly violations: readonly string[];
}

type Cell = string | number;

const DRILL_HEAD = [
  'drill',
  'what is done',
  'goal',
  'sent',
  'answered',
  '5xx',
  'lost',
  'refused',
  'wrong',
  'longest gap ms',
  'also',
];

export function drillTable(played: readonly Played[]): string {
  const rows = played.map(({ drill, result, skipped }) => {
    const said = [drill.name, drill.what, drill.goal];
    if (result === undefined) return [...said, `not run: ${skipped}`, ...Array<string>(7).fill('')];
    const { sent, answered, failed, lost, refused, wrong, longestGapMs } = result;
    return [...said, sent, answered, failed, lost, refused, wrong, longestGapMs, pairs(result.found)];
  });
  return table(DRILL_HEAD, rows);
}

export function bootTable(boots: readonly PlayedBoot[]): string {
  const rows = boots.map(({ boot, found }) => [boot.name, boot.what, boot.goal, pairs(found)]);
  return table(['start', 'what is wrong', 'goal', 'found'], rows);
}

export function attackTable(attacks: readonly Attack[]): string {
  const rows = attacks.map(({ group, name, tries, answered }) => [group, code(name), tries, answered]);
  return table(['kind', 'attack', 'what it tries', 'what is answered'], rows);
}

/** Puts `content` between `<!-- name -->` and `<!-- /name -->`. */
export function section(text: string, name: string, content: string): string {
  const from = `<!-- ${name} -->`;
  const to = `<!-- /${name} -->`;
  const begins = text.indexOf(from);
  const ends = text.indexOf(to);
  if (begins < 0 || ends < begins) throw new Error(`no ${from} ... ${to}`);
  return `${text.slice(0, begins + from.length)}\n\n${content}\n\n${text.slice(ends)}`;
}

function pairs(found: Readonly<Record<string, number | string | null>>): string {
  return Object.entries(found)
    .map(([name, value]) => `${name}: ${value}`)
    .join('; ');
}

/** As code, whatever is in it. */
function code(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``;
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
