// Lines as SVG, readable on a light and on a dark page.

export interface Series {
  readonly name: string;
  /** `at` in hours from the beginning. */
  readonly points: { readonly at: number; readonly value: number }[];
}

const WIDTH = 760;
const HEIGHT = 320;
const LEFT = 56;
const RIGHT = 96;
const TOP = 40;
const BOTTOM = 36;
const COLOURS = ['#6b7280', '#1f6f54', '#b45309', '#3b6fb5'];

export function linesSvg(title: string, series: readonly Series[]): string {
  const points = series.flatMap((one) => one.points);
  const lastAt = Math.max(...points.map(({ at }) => at));
  const most = roundUp(Math.max(...points.map(({ value }) => value)));
  const x = (at: number) => LEFT + ((WIDTH - LEFT - RIGHT) * at) / lastAt;
  const y = (value: number) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / most;
  const text = (at: string, content: string) => `<text ${at} font-size="12" fill="#4b5563">${content}</text>`;
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
    const value = share * most;
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e7eb"/>`;
    const minutes = Math.round(share * lastAt * 60);
    return [
      line,
      text(`x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end"`, String(value)),
      text(`x="${x(share * lastAt)}" y="${HEIGHT - 12}" text-anchor="middle"`, `${minutes} min`),
    ];
  });
  const lines = series.map(({ points: own }, index) => {
    const path = own.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${COLOURS[index]}" stroke-width="1.5"/>`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="22" font-size="14" fill="#111827">${title}</text>`,
    ...grid,
    ...lines,
    ...names(series, y),
    '</svg>',
  ].join('\n')}\n`;
}

/** Beside the end of each line, pushed apart where two end close together. */
function names(series: readonly Series[], y: (value: number) => number): string[] {
  const places = series
    .map(({ name, points }, index) => ({ name, index, at: y(points.at(-1)?.value ?? 0) }))
    .sort((a, b) => a.at - b.at);
  let lowest = 0;
  return places.map(({ name, index, at }) => {
    lowest = Math.max(at, lowest + 14);
    return `<text x="${WIDTH - RIGHT + 8}" y="${(lowest + 4).toFixed(1)}" font-size="12" fill="${COLOURS[index]}">${name}</text>`;
  });
}

function roundUp(value: number): number {
  const step = value > 200 ? 100 : 40;
  return Math.ceil(value / step) * step;
}
