// Bars as SVG, drawn by echarts without a browser. It is installed with the peers.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Table } from './table.ts';

/** The part of echarts that is used. */
interface Echarts {
  init(
    dom: null,
    theme: null,
    options: object,
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void };
}

export function barsSvg(title: string, { unit, values }: NonNullable<Table['bars']>): string {
  const peers = createRequire(fileURLToPath(new URL('../../bench/peers/package.json', import.meta.url)));
  const echarts: Echarts = peers('echarts');
  const chart = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: 760,
    height: 90 + 34 * values.length,
  });
  const shown = [...values].reverse();
  // Contestants are decades apart; on a linear axis the small ones would be lines.
  const [least, most] = [
    Math.min(...values.map(({ value }) => value)),
    Math.max(...values.map(({ value }) => value)),
  ];
  const wide = most / least > 20;
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: title, textStyle: { fontSize: 14 }, left: 8, top: 6 },
    grid: { left: 150, right: 70, top: 40, bottom: 40 },
    xAxis: {
      type: wide ? 'log' : 'value',
      name: unit + (wide ? ', log scale' : ''),
      nameLocation: 'middle',
      nameGap: 24,
    },
    yAxis: { type: 'category', data: shown.map(({ name }) => name) },
    series: [
      {
        type: 'bar',
        data: shown.map(({ name, value }) => ({
          value: Number(value.toFixed(2)),
          itemStyle: { color: name.startsWith('coherent') ? '#1f6f54' : '#9aa5b1' },
        })),
        label: { show: true, position: 'right' },
        barWidth: 20,
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
