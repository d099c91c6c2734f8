// Requests as they come, newest first. What was asked for is a stranger's text: it is only ever set as text.
import type { Frame, TailLine } from '../data/frame.ts';
import { byId, contentOf, el, inputById } from './dom.ts';
import { duration, text, timeOfDay } from './format.ts';
import { setText } from './table.ts';

const MOST = 200;
const SHOWN = 60;

let lines: readonly TailLine[] = [];
let isPaused = false;

export function showTail({ tail, tailSkipped }: Frame): void {
  if (isPaused) return;
  const note =
    tailSkipped > 0
      ? `A sample: ${tailSkipped.toLocaleString('en-US')} more in the last second.`
      : 'All of them, while this page is open.';
  setText(byId('tail-note'), note);
  if (tail.length === 0) return;
  lines = [...[...tail].sort((a, b) => b.atMs - a.atMs), ...lines].slice(0, MOST);
  draw();
}

export function wireTail(): void {
  const pause = byId('tail-pause');
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.setAttribute('aria-pressed', String(isPaused));
    pause.textContent = isPaused ? 'Resume' : 'Pause';
  });
  inputById('tail-filter').addEventListener('input', draw);
}

function draw(): void {
  const wanted = inputById('tail-filter').value.trim().toLowerCase();
  const fitting = lines.filter((line) => wanted === '' || wordsOf(line).toLowerCase().includes(wanted));
  const place = contentOf('tail');
  if (fitting.length === 0) {
    place.replaceChildren(
      el('p', { class: 'empty' }, wanted === '' ? 'no requests yet' : 'none of the last requests fits'),
    );
    return;
  }
  place.replaceChildren(el('ol', { class: 'tail' }, ...fitting.slice(0, SHOWN).map(item)));
}

function wordsOf({ method, target, status, cache }: TailLine): string {
  return `${method} ${target} ${status} ${cache}`;
}

function item({ atMs, slot, method, target, status, cache, ms }: TailLine): HTMLElement {
  const kind = cache.split(' ', 1)[0] ?? '';
  return el(
    'li',
    {},
    el('time', {}, timeOfDay(atMs)),
    el('span', { class: 'slot', title: `worker ${slot}` }, `#${slot}`),
    el('span', { class: 'status', 'data-class': String(status).slice(0, 1) }, String(status)),
    el('span', { class: 'cache', 'data-kind': kind }, cache),
    el('span', { class: 'target' }, `${method === 'GET' ? '' : `${method} `}${target}`),
    el('span', { class: 'took' }, ms === null ? '' : text(duration(ms))),
  );
}
