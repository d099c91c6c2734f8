// One chart: uPlot draws, in colours of the page's own that follow light and dark; the legend is plain text beside it.
import uPlot from 'uplot';
import { byId, el, find } from './dom.ts';
import { setText } from './table.ts';

export interface Line {
  readonly title: string;
  /** A custom property of dashboard.css. */
  readonly color: string;
  readonly filled?: boolean;
  readonly scale?: 'left' | 'right';
  /** Of its last value, in the legend. */
  readonly say: (value: number | null) => string;
}

const HEIGHT = 168;

export class Chart {
  readonly #place: HTMLElement;
  readonly #legend: readonly HTMLElement[];
  readonly #lines: readonly Line[];
  readonly #maximum: number | undefined;
  #plot: uPlot | undefined;
  #data: uPlot.AlignedData = [[]];

  /** `maximum`: the axis always ends there. */
  constructor(id: string, lines: readonly Line[], maximum?: number) {
    const figure = byId(`chart-${id}`);
    this.#place = find(figure, '.plot');
    this.#lines = lines;
    this.#maximum = maximum;
    this.#legend = lines.map(({ color, title }) => {
      const value = el('b', {}, '–');
      const swatch = el('i');
      swatch.style.background = `var(${color})`;
      find(figure, '.legend').append(el('span', {}, swatch, `${title} `, value));
      return value;
    });
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw());
  }

  show(columns: readonly (readonly (number | null)[])[]): void {
    for (const [at, { say }] of this.#lines.entries()) {
      const place = this.#legend[at];
      if (place !== undefined) setText(place, say(columns[at + 1]?.at(-1) ?? null));
    }
    const [times = []] = columns;
    if (times.length < 2) return;
    this.#data = columns.map((column) => [...column]) as uPlot.AlignedData;
    if (this.#plot === undefined) this.#redraw();
    else this.#plot.setData(this.#data);
  }

  #resize(): void {
    const width = this.#place.clientWidth;
    if (width > 0) this.#plot?.setSize({ width, height: HEIGHT });
  }

  #redraw(): void {
    if (this.#data.length < 2) return;
    this.#plot?.destroy();
    this.#place.replaceChildren();
    const options = optionsFor(this.#lines, this.#maximum, this.#place.clientWidth);
    this.#plot = new uPlot(options, this.#data, this.#place);
  }
}

function optionsFor(lines: readonly Line[], maximum: number | undefined, width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const grid = { stroke: color('--hairline'), width: 1 };
  const axis = { stroke: color('--soft'), grid, ticks: { show: false }, font: '11px system-ui, sans-serif' };
  const hasRight = lines.some(({ scale }) => scale === 'right');
  const range = (_: uPlot, __: number | null, top: number | null): [number, number] => [
    0,
    maximum ?? Math.max(1, (top ?? 0) * 1.15),
  ];
  return {
    width,
    height: HEIGHT,
    padding: [8, hasRight ? 0 : 26, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: true }, left: { range }, right: { range } },
    axes: [
      { ...axis, space: 70, size: 26, values: (_, times) => times.map((time) => axisTime(time, times)) },
      { ...axis, scale: 'left', size: 46, values: (_, values) => values.map(axisText) },
      ...(hasRight
        ? [
            {
              ...axis,
              scale: 'right',
              side: 1 as const,
              size: 46,
              grid: { show: false },
              values: (_: uPlot, values: number[]) => values.map(axisText),
            },
          ]
        : []),
    ],
    series: [
      {},
      ...lines.map(({ title, color: name, filled, scale = 'left' }) => ({
        label: title,
        scale,
        stroke: color(name),
        width: 1.6,
        spanGaps: false,
        points: { show: false },
        ...(filled === true ? { fill: `${color(name)}22` } : {}),
      })),
    ],
  };
}

function axisText(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : value.toLocaleString('en-US');
}

/** With seconds where the ticks are closer than a minute. */
function axisTime(seconds: number, [first = 0, second = first + 60]: readonly number[]): string {
  const clock = { hour: '2-digit', minute: '2-digit' } as const;
  const withSeconds = second - first < 60;
  return new Date(seconds * 1000).toLocaleTimeString(
    'en-GB',
    withSeconds ? { ...clock, second: '2-digit' } : clock,
  );
}
