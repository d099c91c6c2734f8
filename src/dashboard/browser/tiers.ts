// Where pages and fragments lie, in the order in which they are looked for.
import type { Frame, TierStats } from '../data/frame.ts';
import { contentOf, el } from './dom.ts';
import { bytes, count, type Measure, rate, share, text } from './format.ts';
import { type Column, setText, Table } from './table.ts';

const TIER_NAMES: Record<string, string> = {
  static: 'Static',
  l1: 'L1 memory',
  l2: 'L2 Redis',
  l3: 'L3 disk',
};

let table: Table<TierStats> | undefined;

export function showTiers({ tiers }: Frame): void {
  if (tiers.length === 0) return;
  if (table === undefined) {
    table = new Table({ caption: 'Cache tiers', columns, key: ({ tier }) => tier });
    contentOf('tiers').replaceChildren(table.element);
  }
  table.show(tiers);
}

function figure(title: string, of: (tier: TierStats) => Measure): Column<TierStats> {
  return { title, isFigure: true, fill: (cell, tier) => setText(cell, text(of(tier))) };
}

const columns: readonly Column<TierStats>[] = [
  {
    title: 'Tier',
    fill: (cell, { tier, breaker }) => {
      if (cell.firstChild === null) cell.append(el('b'), el('span', { class: 'pill' }));
      const [name, state] = cell.children;
      if (name !== undefined) setText(name, TIER_NAMES[tier] ?? tier);
      if (!(state instanceof HTMLElement)) return;
      const isCut = breaker !== null && breaker !== 'closed';
      state.hidden = !isCut;
      state.dataset.tone = 'bad';
      setText(state, isCut ? `breaker ${breaker}` : '');
    },
  },
  figure('Hit rate', ({ hitShare }) => share(hitShare)),
  figure('Hits', ({ hitsPerSecond }) => rate(hitsPerSecond)),
  figure('Evictions', ({ evictionsPerSecond }) => rate(evictionsPerSecond)),
  figure('Entries', ({ entries }) => count(entries)),
  { title: 'Held', isFigure: true, fill: fillHeld },
];

function fillHeld(cell: HTMLElement, { tier, bytes: held, maxBytes }: TierStats): void {
  if (cell.firstChild === null) cell.append(el('span'), el('meter', { min: 0, max: 1, value: 0 }));
  const [words, bar] = cell.children;
  const limit = maxBytes === null ? '' : ` of ${text(bytes(maxBytes))}`;
  if (words !== undefined) setText(words, held === null ? text(bytes(null)) : `${text(bytes(held))}${limit}`);
  if (!(bar instanceof HTMLMeterElement)) return;
  bar.hidden = held === null || maxBytes === null || maxBytes === 0;
  bar.setAttribute('aria-label', `${TIER_NAMES[tier] ?? tier}: share of its limit that is held`);
  if (!bar.hidden) bar.value = (held ?? 0) / (maxBytes ?? 1);
}
