// The colours of the sample's style sheet, measured as WCAG 2.2 measures them.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(new URL('../../app/public/style.css', import.meta.url), 'utf8');
const [light = '', dark = ''] = [...css.matchAll(/:root \{([^}]*)\}/g)].map((match) => match[1] ?? '');

type Colour = readonly [red: number, green: number, blue: number];

const schemes = [
  ['light', variables(light)],
  ['dark', new Map([...variables(light), ...variables(dark)])],
] as const;

test.each(schemes)('%s: text, links and buttons reach 4.5 : 1', (_, palette) => {
  const pairs = [
    ['--ink', '--paper'],
    ['--soft', '--paper'],
    ['--link', '--paper'],
    ['--ink', '--sheet'],
    ['--soft', '--sheet'],
    ['--link', '--sheet'],
    ['--on-mark', '--mark'],
    ['--on-button', '--button'],
  ];
  for (const [front = '', back = ''] of pairs) {
    expect(ratio(hex(palette, front), hex(palette, back)), `${front} on ${back}`).toBeGreaterThanOrEqual(4.5);
  }
});

test.each(schemes)('%s: the edges of fields and the marks of topics reach 3 : 1', (_, palette) => {
  expect(ratio(hex(palette, '--field'), hex(palette, '--sheet'))).toBeGreaterThanOrEqual(3);
  expect(ratio(hex(palette, '--rule'), hex(palette, '--paper'))).toBeGreaterThanOrEqual(3);
});

test.each(schemes)('%s: the initials of every person reach 4.5 : 1 on their colour', (_, palette) => {
  const hues = [...css.matchAll(/\.hue-\d+ \{\s*--hue: (\d+);/g)].map((match) => Number(match[1]));
  expect(hues).toHaveLength(12);
  for (const hue of hues) {
    const circle = hsl(hue, percent(palette, '--avatar-saturation'), percent(palette, '--avatar-lightness'));
    const letters = hsl(hue, 0.6, percent(palette, '--initials-lightness'));
    expect(ratio(letters, circle), `hue ${hue}`).toBeGreaterThanOrEqual(4.5);
  }
});

function variables(block: string): Map<string, string> {
  return new Map(
    [...block.matchAll(/(--[\w-]+): ([^;]+);/g)].map((match) => [match[1] ?? '', match[2] ?? '']),
  );
}

function hex(palette: ReadonlyMap<string, string>, name: string): Colour {
  const value = palette.get(name) ?? '';
  expect(value, name).toMatch(/^#[0-9a-f]{6}$/);
  const part = (at: number) => Number.parseInt(value.slice(at, at + 2), 16) / 255;
  return [part(1), part(3), part(5)];
}

function percent(palette: ReadonlyMap<string, string>, name: string): number {
  return Number.parseFloat(palette.get(name) ?? '') / 100;
}

/** CSS Color 4, section 7. */
function hsl(hue: number, saturation: number, lightness: number): Colour {
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    return (
      lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1))
    );
  };
  return [part(0), part(8), part(4)];
}

function ratio(a: Colour, b: Colour): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance([red, green, blue]: Colour): number {
  const linear = (part: number) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
