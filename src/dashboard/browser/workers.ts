// One row for each place of the box, with a button that replaces the worker in it.
import type { Frame, WorkerStats } from '../data/frame.ts';
import { act, errorOf, say } from './actions.ts';
import { confirmed } from './confirm.ts';
import { contentOf, el } from './dom.ts';
import { bytes, count, duration, type Measure, rate, share, text } from './format.ts';
import { type Column, setText, Table } from './table.ts';

const TONES: Record<string, string> = { serving: 'good', starting: 'warn', draining: 'warn', dead: 'bad' };

let table: Table<WorkerStats> | undefined;

export function showWorkers({ workers }: Frame): void {
  if (table === undefined) {
    table = new Table({ caption: 'Workers', columns, key: ({ slot }) => String(slot) });
    contentOf('workers').replaceChildren(table.element);
  }
  table.show(workers);
}

function figure(title: string, of: (worker: WorkerStats) => Measure): Column<WorkerStats> {
  return { title, isFigure: true, fill: (cell, worker) => setText(cell, text(of(worker))) };
}

const columns: readonly Column<WorkerStats>[] = [
  {
    title: 'Worker',
    fill: (cell, { slot, pid }) => {
      if (cell.firstChild === null) cell.append(el('b'), ' ', el('span', { class: 'faint' }));
      const [name, process] = cell.children;
      if (name !== undefined) setText(name, `#${slot}`);
      if (process !== undefined) setText(process, pid === null ? 'no process' : `pid ${pid}`);
    },
  },
  { title: 'State', fill: fillState },
  figure('Requests', ({ requestsPerSecond }) => rate(requestsPerSecond)),
  figure('p50', ({ p50Ms }) => duration(p50Ms)),
  figure('p99', ({ p99Ms }) => duration(p99Ms)),
  figure('Loop delay p99', ({ loopP99Ms }) => duration(loopP99Ms)),
  figure('Loop busy', ({ utilization }) => share(utilization)),
  {
    title: 'Heap',
    isFigure: true,
    fill: (cell, { heapBytes, heapLimitBytes }) => {
      setText(cell, text(bytes(heapBytes)));
      const limit = text(bytes(heapLimitBytes));
      if (heapLimitBytes !== null) cell.title = `of ${limit} that the heap may grow to`;
    },
  },
  figure('RSS', ({ rssBytes }) => bytes(rssBytes)),
  figure('Up', ({ servingMs, state }) => duration(state === 'dead' ? null : servingMs)),
  figure('Restarts', ({ restarts }) => count(restarts)),
  {
    title: 'Drain',
    fill: (cell, { slot, state }) => {
      if (cell.firstChild === null) cell.append(drainButton(slot));
      cell.firstElementChild?.toggleAttribute('disabled', state !== 'serving');
    },
  },
];

function fillState(cell: HTMLElement, { state, answers }: WorkerStats): void {
  if (cell.firstChild === null) cell.append(el('span', { class: 'pill' }));
  const pill = cell.firstElementChild;
  if (!(pill instanceof HTMLElement)) return;
  const isSilent = state === 'serving' && !answers;
  setText(pill, isSilent ? 'serving, silent' : state);
  pill.dataset.tone = isSilent ? 'warn' : (TONES[state] ?? 'warn');
  pill.title = isSilent ? 'It did not answer in time: its figures are older ones.' : '';
}

function drainButton(slot: number): HTMLButtonElement {
  const button = el('button', { type: 'button', 'aria-label': `Drain and replace worker ${slot}` }, 'Drain');
  button.addEventListener('click', () => void drain(slot));
  return button;
}

async function drain(slot: number): Promise<void> {
  const why =
    'A new worker starts beside it and takes its place; the old one finishes what it holds. No request is lost.';
  if (!(await confirmed(`Drain worker #${slot}?`, why, 'Drain'))) return;
  say(`Draining worker #${slot}…`, true);
  const reply = await act('drain', { slot });
  say(reply.ok ? `Worker #${slot} is a new one.` : `Not drained: ${errorOf(reply)}`, reply.ok);
}
