// Figures for a terminal: short, with their unit, and a dash where nothing is known.
const UNKNOWN = '-';

function short(value: number): string {
  if (value === 0) return '0';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = value.toLocaleString('en-US', { maximumFractionDigits: digits });
  return text === '0' ? '<0.01' : text;
}

export function rate(perSecond: number | null): string {
  return perSecond === null ? UNKNOWN : `${short(perSecond)}/s`;
}

export function share(part: number | null): string {
  return part === null ? UNKNOWN : `${(Math.floor(part * 1000) / 10).toFixed(1)}%`;
}

export function duration(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < 1000) return `${short(ms)}ms`;
  if (ms < 60_000) return `${short(ms / 1000)}s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m`;
  return ms < 172_800_000 ? `${Math.floor(ms / 3_600_000)}h` : `${Math.floor(ms / 86_400_000)}d`;
}

const STEPS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value: number | null): string {
  if (value === null) return UNKNOWN;
  let left = value;
  let step = 0;
  while (left >= 1024 && step < STEPS.length - 1) {
    left /= 1024;
    step += 1;
  }
  return `${step === 0 ? left : short(left)}${STEPS[step]}`;
}

export function count(value: number | null): string {
  return value === null ? UNKNOWN : value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
