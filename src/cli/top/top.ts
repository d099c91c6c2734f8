// What `coherent-server top` shows: the dashboard's figures as lines of text that fit the terminal.
import type { Frame } from '../../dashboard/data/frame.ts';
import { bytes, count, duration, rate, share } from './top-figures.ts';
import { plain, type TopColumn, table } from './top-table.ts';

export interface TopSize {
  readonly columns: number;
  /** Undefined: as many lines as there are. */
  readonly rows?: number;
}

export interface TopOptions extends TopSize {
  /** Whether the lines may hold ANSI colours. */
  readonly hasColor: boolean;
}

const TONES = { good: 32, warn: 33, bad: 31, faint: 2, bold: 1 } as const;
type Paint = (tone: keyof typeof TONES, text: string) => string;

export function topLines(frame: Frame, { columns, rows, hasColor }: TopOptions): string[] {
  const paint: Paint = (tone, text) => (hasColor ? `\u001b[${TONES[tone]}m${text}\u001b[0m` : text);
  const width = Math.max(40, columns);
  const title = (text: string) => paint('bold', text);
  const lines = [
    ...summary(frame, paint),
    ...standing(frame, paint),
    '',
    title('WORKERS'),
    ...table(frame.workers, workerColumns, width, (text) => paint('faint', text)),
    '',
    title('TIERS'),
    ...table(frame.tiers, tierColumns, width, (text) => paint('faint', text)),
    '',
    title('PAGES'),
    ...table(hottest(frame), pageColumns, width, (text) => paint('faint', text)),
  ];
  return lines.slice(0, rows).map((line) => cut(line, width));
}

function summary({ version, phase, ready, uptimeMs, box, coherence }: Frame, paint: Paint): string[] {
  const state = paint(ready ? 'good' : 'bad', ready ? phase : `${phase}, not ready`);
  const errors = `${rate(box.errorsPerSecond)} 5xx`;
  return [
    `${paint('bold', 'coherent-server')} ${version}  ${state}  up ${duration(uptimeMs)}`,
    [
      `${rate(box.requestsPerSecond)} requests`,
      `${share(box.hitShare)} from cache`,
      `p50 ${duration(box.p50Ms)}`,
      `p99 ${duration(box.p99Ms)}`,
      `${rate(box.rendersPerSecond)} renders`,
      (box.errorsPerSecond ?? 0) > 0 ? paint('bad', errors) : errors,
    ].join('   '),
    [
      `${rate(coherence.purgesPerSecond)} purges`,
      `commit to applied p99 ${duration(coherence.appliedP99Ms)}`,
      `feed ${coherence.feed}`,
      `${count(box.inFlight)} in flight`,
      `${count(box.connections)} connections`,
    ].join('   '),
  ];
}

function standing({ alerts }: Frame, paint: Paint): string[] {
  if (alerts.length === 0) return [];
  const said = alerts.map(({ severity, text }) =>
    paint(severity === 'critical' ? 'bad' : 'warn', `! ${severity}: ${plain(text)}`),
  );
  return ['', ...said];
}

function hottest({ pages }: Frame): Frame['pages'] {
  return [...pages].sort((a, b) => b.requests - a.requests).slice(0, 10);
}

const workerColumns: readonly TopColumn<Frame['workers'][number]>[] = [
  { title: 'slot', of: ({ slot }) => `#${slot}`, isText: true },
  { title: 'pid', of: ({ pid }) => (pid === null ? '-' : String(pid)), spare: 6 },
  {
    title: 'state',
    of: ({ state, answers }) => (state === 'serving' && !answers ? 'silent' : state),
    isText: true,
  },
  { title: 'req', of: ({ requestsPerSecond }) => rate(requestsPerSecond) },
  { title: 'p50', of: ({ p50Ms }) => duration(p50Ms), spare: 7 },
  { title: 'p99', of: ({ p99Ms }) => duration(p99Ms) },
  { title: 'loop p99', of: ({ loopP99Ms }) => duration(loopP99Ms), spare: 2 },
  { title: 'busy', of: ({ utilization }) => share(utilization), spare: 4 },
  { title: 'heap', of: ({ heapBytes }) => bytes(heapBytes), spare: 3 },
  { title: 'rss', of: ({ rssBytes }) => bytes(rssBytes), spare: 8 },
  { title: 'up', of: ({ servingMs, state }) => duration(state === 'dead' ? null : servingMs), spare: 5 },
  { title: 'restarts', of: ({ restarts }) => count(restarts), spare: 1 },
];

const tierColumns: readonly TopColumn<Frame['tiers'][number]>[] = [
  { title: 'tier', of: ({ tier }) => tier, isText: true },
  { title: 'hit rate', of: ({ hitShare }) => share(hitShare) },
  { title: 'hits', of: ({ hitsPerSecond }) => rate(hitsPerSecond) },
  { title: 'misses', of: ({ missesPerSecond }) => rate(missesPerSecond), spare: 3 },
  { title: 'evictions', of: ({ evictionsPerSecond }) => rate(evictionsPerSecond), spare: 4 },
  { title: 'entries', of: ({ entries }) => count(entries), spare: 1 },
  { title: 'held', of: ({ bytes: held }) => bytes(held) },
  { title: 'limit', of: ({ maxBytes }) => bytes(maxBytes), spare: 5 },
  { title: 'breaker', of: ({ breaker }) => breaker ?? '-', isText: true, spare: 2 },
];

const pageColumns: readonly TopColumn<Frame['pages'][number]>[] = [
  { title: 'route', of: ({ route }) => route, isText: true },
  { title: 'now', of: ({ requestsPerSecond }) => rate(requestsPerSecond) },
  { title: 'requests', of: ({ requests }) => count(requests), spare: 1 },
  { title: 'cached', of: ({ hitShare }) => share(hitShare) },
  { title: 'renders', of: ({ renders }) => count(renders), spare: 4 },
  { title: 'mean', of: ({ renderMeanMs }) => duration(renderMeanMs), spare: 5 },
  { title: 'p99', of: ({ renderP99Ms }) => duration(renderP99Ms) },
  { title: 'purged', of: ({ purged }) => count(purged), spare: 3 },
  { title: 'mostly by', of: ({ purgedBy }) => purgedBy ?? '-', isText: true, spare: 2 },
];

/** Colours take no room on the screen, and are not cut in two. */
function cut(line: string, width: number): string {
  let room = width;
  let isColor = false;
  let kept = '';
  for (const character of line) {
    if (character === '\u001b') isColor = true;
    else if (!isColor) room -= 1;
    if (isColor || room >= 0) kept += character;
    if (character === 'm') isColor = false;
  }
  return kept;
}
