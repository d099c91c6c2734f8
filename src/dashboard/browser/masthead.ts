// The top of the page: how the server is, whether what is shown is live, and what concerns all workers.
import type { Frame } from '../data/frame.ts';
import { act, errorOf, say } from './actions.ts';
import { confirmed } from './confirm.ts';
import { byId, find } from './dom.ts';
import { duration, text, timeOfDay } from './format.ts';
import type { LinkState } from './stream.ts';
import { setText } from './table.ts';

const LINK: Record<LinkState, string> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'disconnected',
  paused: 'paused',
};

let lastFrameMs: number | undefined;

export function showMasthead({ phase, ready, version, uptimeMs, atMs }: Frame): void {
  lastFrameMs = atMs;
  const pill = byId('phase');
  setText(pill, ready ? phase : `${phase}, not ready`);
  pill.dataset.tone = ready ? (phase === 'running' ? 'good' : 'warn') : 'bad';
  setText(byId('build'), `${version === 'unknown' ? '' : `v${version} · `}up ${text(duration(uptimeMs))}`);
  byId('reload').toggleAttribute('disabled', phase !== 'running');
}

export function showLink(state: LinkState): void {
  const link = byId('link');
  link.dataset.state = state;
  setText(find(link, 'span'), LINK[state]);
  document.body.dataset.link = state;
  const lost = byId('lost');
  lost.hidden = state !== 'lost';
  const since =
    lastFrameMs === undefined ? 'nothing was heard yet' : `figures are of ${timeOfDay(lastFrameMs)}`;
  if (state === 'lost')
    setText(lost, `No connection to the server: ${since}. Trying again every few seconds.`);
}

export function wireMasthead(): void {
  byId('reload').addEventListener('click', () => void reload());
}

async function reload(): Promise<void> {
  const text =
    'Replaces every worker, one after the other, with what the files on disk are now. No request is lost; caches in memory start empty.';
  if (!(await confirmed('Reload all workers?', text, 'Reload'))) return;
  say('Reloading…', true);
  const reply = await act('reload');
  say(reply.ok ? 'Reloaded: every worker is new.' : `Not reloaded: ${errorOf(reply)}`, reply.ok);
}
