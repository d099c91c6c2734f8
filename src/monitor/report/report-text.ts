// The report for a terminal.
import { size, time } from '../recommend/rule.ts';
import type { MemoryTrend, Report } from './report.ts';

type Cell = string | number | null;

export function reportText(report: Report): string {
  const { renders, cache, memory } = report;
  return [
    `coherent-render-server ${report.version}, node ${report.node}: ${report.phase}, ${report.ready ? 'ready' : 'not ready'}, up ${time(report.uptimeMs)}`,
    `Counts are of the last ${time(report.windowMs)}.${report.partial ? ' A worker did not answer: its counts are older.' : ''}`,
    '',
    `Requests  ${cache.requests} of pages, ${cache.hitPercent} % hits (${cache.byTier.map(({ tier, percent }) => `${tier === 'none' ? 'rendered' : tier} ${percent} %`).join(', ')})`,
    `Renders   ${renders.count}, ${renders.perSecond} a second; mean ${ms(renders.meanMs)}, p99 ${ms(renders.p99Ms)}; ${renders.slow} slow (${renders.slowPercent} %), ${renders.failed} failed`,
    `Memory    ${trend(memory.rss)} resident; ${trend(memory.heap)} heap`,
    ...section('Alerts', alertLines(report)),
    ...section('Recommendations', adviceLines(report)),
    ...table(
      'Pages',
      ['route', 'requests', 'hits %', 'renders', 'mean', 'p99', 'slow', 'purged'],
      report.pages.map((page) => [
        page.route,
        page.requests,
        page.hitPercent,
        page.renders,
        ms(page.meanMs),
        ms(page.p99Ms),
        page.slow,
        page.purged,
      ]),
    ),
    ...table(
      'Fragments',
      ['fragment', 'found', 'hits %', 'renders', 'mean'],
      report.fragments.map((each) => [
        each.fragment,
        each.found,
        each.hitPercent,
        each.renders,
        ms(each.meanMs),
      ]),
    ),
    ...table(
      'Components (sampled)',
      ['component', 'calls', 'mean', '% of time'],
      report.components.map((each) => [each.component, each.sampledCalls, ms(each.meanMs), each.percent]),
    ),
    ...table(
      'Statements',
      ['calls', 'mean', 'rows', '% of time', 'slow', 'text'],
      report.statements.map((each) => [
        each.calls,
        ms(each.meanMs),
        each.rowsPerCall,
        each.percent,
        each.slow,
        oneLine(each.text),
      ]),
    ),
    ...table(
      'Tiers',
      ['kind', 'tier', 'asked', 'hits %', 'entries', 'bytes', 'of', 'evicted', 'came back'],
      report.tiers.map((each) => [
        each.kind,
        each.tier,
        each.asked,
        each.hitPercent,
        each.entries,
        bytesOf(each.bytes),
        bytesOf(each.maxBytes),
        each.evictions,
        each.returned,
      ]),
    ),
    '',
  ].join('\n');
}

function alertLines({ alerts }: Report): string[] {
  const since = (atMs: number) => new Date(atMs).toISOString();
  return alerts.standing.map(
    ({ severity, code, says, raisedAtMs }) => `[${severity}] ${code} since ${since(raisedAtMs)}: ${says}`,
  );
}

function adviceLines({ recommendations }: Report): string[] {
  return recommendations.flatMap(({ priority, title, evidence, advice, effect }) => [
    `[${priority}] ${oneLine(title)}`,
    `  seen:   ${oneLine(evidence)}`,
    `  do:     ${advice}`,
    `  effect: ${effect}`,
  ]);
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', title, ...(lines.length === 0 ? ['  none'] : lines.map((line) => `  ${line}`))];
}

/** Numbers to the right, names to the left. */
function table(title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  if (rows.length === 0) return [];
  const text = [head, ...rows].map((row) => row.map((cell) => (cell === null ? '-' : String(cell))));
  const widths = head.map((_, column) => Math.max(...text.map((row) => (row[column] ?? '').length)));
  const isName = head.map(
    (_, column) =>
      typeof rows[0]?.[column] === 'string' &&
      /^[a-z]+$/.test(head[column] ?? '') &&
      !/^(mean|bytes|of|p99)$/.test(head[column] ?? ''),
  );
  const lines = text.map((row) =>
    row
      .map((cell, column) =>
        isName[column] === true ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return section(title, lines);
}

function trend({ nowBytes, bytesPerHour }: MemoryTrend): string {
  if (nowBytes === null) return '-';
  const rise =
    bytesPerHour === null
      ? 'trend not known yet'
      : `${bytesPerHour < 0 ? '' : '+'}${size(bytesPerHour)} an hour`;
  return `${size(nowBytes)} (${rise})`;
}

function ms(value: number | null): string {
  return value === null ? '-' : time(value);
}

function bytesOf(bytes: number | null): string {
  return bytes === null ? '-' : size(bytes);
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
