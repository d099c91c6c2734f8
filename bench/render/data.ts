// The data of the workloads. The same every time, so that two runs differ in nothing but the machine.

/** A small generator (mulberry32): the benchmark must not draw its data anew. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export interface Row {
  readonly id: string;
  readonly name: string;
}

export function uuidRows(count: number): readonly Row[] {
  const next = generator(7);
  const hex = () => next().toString(16).padStart(8, '0');
  const uuid = () => {
    const [a, b, c, d] = [hex(), hex(), hex(), hex()];
    return `${a}-${b.slice(0, 4)}-4${b.slice(5, 8)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
  };
  return Array.from({ length: count }, () => ({ id: uuid(), name: uuid() }));
}

export interface Tile {
  readonly x: number;
  readonly y: number;
}

/** Computed for each page, as in the benchmark it comes from. 2398 tiles. */
export function spiral(): Tile[] {
  const tiles: Tile[] = [];
  let angle = 0;
  let radius = 0;
  while (radius < 360) {
    const x = 480 + Math.cos(angle) * radius;
    const y = 360 + Math.sin(angle) * radius;
    if (x >= 0 && x <= 950 && y >= 0 && y <= 710) tiles.push({ x, y });
    angle += 0.2;
    radius += 0.15;
  }
  return tiles;
}

export const spiralCss =
  'body { display: flex; justify-content: center; margin: 0; background: #f0f0f0 } ' +
  '#wrapper { width: 960px; height: 720px; position: relative; background: white } ' +
  '.tile { position: absolute; width: 10px; height: 10px; background: #333 }';

export interface Purchase {
  readonly name: string;
  readonly price: number;
  readonly quantity: number;
}

export const purchases: readonly Purchase[] = Array.from({ length: 1000 }, (_, i) => ({
  name: `Purchase number ${i + 1}`,
  price: (i + 1) * 2,
  quantity: (i + 1) * 5,
}));

export const lorem =
  'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et ' +
  'dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ' +
  'ea commodo consequat. Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore.';

export const metas: readonly (readonly [name: string, content: string])[] = [
  ['viewport', 'width=device-width, initial-scale=1'],
  ['description', 'A page of purchases'],
  ['author', 'Nobody'],
  ['keywords', 'purchases, profile, benchmark'],
  ['robots', 'index, follow'],
  ['theme-color', '#ffffff'],
  ['application-name', 'Purchases'],
  ['generator', 'benchmark'],
  ['color-scheme', 'light dark'],
  ['format-detection', 'telephone=no'],
  ['referrer', 'origin'],
  ['rating', 'general'],
];

export const scripts = ['/vendor.js', '/runtime.js', '/page.js'] as const;

export interface Item {
  readonly id: number;
  readonly title: string;
  readonly price: string;
  readonly image: string;
}

export const items: readonly Item[] = Array.from({ length: 480 }, (_, i) => ({
  id: i,
  title: `Item ${i}: wool and cotton, size ${i % 40}`,
  price: `$${(i * 1.37).toFixed(2)}`,
  image: `https://images.example.com/items/${i}.jpg`,
}));

export const footerSections: readonly { readonly title: string; readonly links: readonly string[] }[] =
  Array.from({ length: 24 }, (_, s) => ({
    title: `Section ${s + 1}`,
    links: Array.from({ length: 16 }, (_, l) => `Link ${l + 1} of section ${s + 1}`),
  }));

export interface Color {
  readonly name: string;
  readonly hex: string;
}

const colorWords = [
  'Alice',
  'Azure',
  'Coral',
  'Dark',
  'Forest',
  'Ghost',
  'Hot',
  'Indian',
  'Khaki',
  'Lawn',
  'Medium',
];

export const colors: readonly Color[] = Array.from({ length: 133 }, (_, i) => ({
  name: `${colorWords[i % colorWords.length]} ${i}`,
  hex: `#${((i * 123_457) & 0xffffff).toString(16).padStart(6, '0')}`,
}));
