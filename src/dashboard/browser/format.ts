// Figures as they are read: few digits, always a unit, and a dash where nothing is known.

export interface Measure {
  readonly text: string;
  readonly unit: string;
}

export const UNKNOWN = '–';

const nothing: Measure = { text: UNKNOWN, unit: '' };

/** Three digits say enough: 0.42, 4.2, 42, 420, 4,200. */
function short(value: number): string {
  if (value === 0) return '0';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = value.toLocaleString('en-US', { maximumFractionDigits: digits });
  return text === '0' ? '<0.01' : text;
}

export function rate(perSecond: number | null): Measure {
  return perSecond === null ? nothing : { text: short(perSecond), unit: '/s' };
}

export function share(part: number | null): Measure {
  if (part === null) return nothing;
  // 99.97 % is not 100 %: what is left are the renders.
  const percent = part * 100;
  const text = percent > 99 && percent < 100 ? (Math.floor(percent * 100) / 100).toFixed(2) : short(percent);
  return { text, unit: '%' };
}

export function duration(ms: number | null): Measure {
  if (ms === null) return nothing;
  if (ms < 1000) return { text: short(ms), unit: 'ms' };
  if (ms < 60_000) return { text: short(ms / 1000), unit: 's' };
  if (ms < 3_600_000) return { text: short(Math.floor(ms / 60_000)), unit: 'min' };
  if (ms < 172_800_000) return { text: short(Math.floor(ms / 3_600_000)), unit: 'h' };
  return { text: short(Math.floor(ms / 86_400_000)), unit: 'd' };
}

const STEPS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(count: number | null): Measure {
  if (count === null) return nothing;
  let value = count;
  let step = 0;
  while (value >= 1024 && step < STEPS.length - 1) {
    value /= 1024;
    step += 1;
  }
  return { text: step === 0 ? String(Math.round(value)) : short(value), unit: STEPS[step] ?? '' };
}

export function count(value: number | null): Measure {
  return value === null
    ? nothing
    : { text: value.toLocaleString('en-US', { maximumFractionDigits: 0 }), unit: '' };
}

export function text({ text: figure, unit }: Measure): string {
  return unit === '' ? figure : `${figure} ${unit}`;
}

/** 16:05:09. */
export function timeOfDay(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB');
}
