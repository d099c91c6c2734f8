// The four charts, and which figure of a point goes where.
import type { ChartPoint, Frame, Greeting } from '../data/frame.ts';
import { Chart, type Line } from './chart.ts';
import { bytes, duration, rate, share, text } from './format.ts';
import { History } from './history.ts';

type Pick = (point: ChartPoint) => number | null | undefined;

interface Wired {
  readonly chart: Chart;
  readonly picks: readonly Pick[];
}

const TIERS = [
  { tier: 'static', title: 'Static', color: '--series-4' },
  { tier: 'l1', title: 'L1', color: '--series-1' },
  { tier: 'l2', title: 'L2', color: '--series-2' },
  { tier: 'l3', title: 'L3', color: '--series-3' },
] as const;

const MiB = 1024 * 1024;
const percent = (part: number | null | undefined) =>
  part === null || part === undefined ? null : part * 100;
const inMiB = (held: number | null | undefined) => (held === null || held === undefined ? null : held / MiB);
const sayMiB = (value: number | null) => text(bytes(value === null ? null : value * MiB));
const sayRate = (value: number | null) => text(rate(value));
const sayPercent = (value: number | null) => text(share(value === null ? null : value / 100));

const history = new History();
let wired: readonly Wired[] = [];

export function wireCharts(): void {
  const heldLines = TIERS.map(({ title, color }): Line => ({ title, color, say: sayMiB }));
  const tierLines = TIERS.map(({ title, color }): Line => ({ title, color, say: sayPercent }));
  wired = [
    {
      chart: new Chart('requests', [
        { title: 'from cache', color: '--series-1', filled: true, say: sayRate },
        { title: 'renders', color: '--series-3', say: sayRate },
        { title: '5xx', color: '--series-bad', say: sayRate },
      ]),
      picks: [({ hits }) => hits, ({ renders }) => renders, ({ errors }) => errors],
    },
    {
      chart: new Chart('share', tierLines, 100),
      picks: TIERS.map(
        ({ tier }) =>
          ({ shares }) =>
            percent(shares[tier]),
      ),
    },
    {
      chart: new Chart('bytes', heldLines),
      picks: TIERS.map(
        ({ tier }) =>
          ({ bytes: held }) =>
            inMiB(held[tier]),
      ),
    },
    {
      chart: new Chart('purging', [
        { title: 'purges', color: '--series-1', filled: true, say: sayRate },
        { title: 'applied p99', color: '--series-3', scale: 'right', say: (value) => text(duration(value)) },
      ]),
      picks: [({ purges }) => purges, ({ appliedP99Ms }) => appliedP99Ms],
    },
  ];
}

export function resetCharts({ points }: Greeting): void {
  history.reset(points);
  draw();
}

export function showCharts({ point }: Frame): void {
  history.add(point);
  draw();
}

function draw(): void {
  for (const { chart, picks } of wired) chart.show(history.columns(picks));
}
