// What stands in red at the top, and what the server would have its operator change.
import type { AdviceLine, AlertLine, Frame } from '../data/frame.ts';
import { byId, contentOf, el } from './dom.ts';
import { duration, text } from './format.ts';

const MOST = 4;

let shownAlerts = '';
let shownAdvice = '';

export function showAlerts({ alerts, atMs }: Frame): void {
  const now = JSON.stringify(alerts.map(({ sinceMs, ...rest }) => ({ ...rest, age: age(atMs, sinceMs) })));
  if (now === shownAlerts) return;
  shownAlerts = now;
  const place = byId('alerts');
  place.hidden = alerts.length === 0;
  place.replaceChildren(...alerts.map((alert) => alertLine(alert, atMs)));
}

function alertLine({ severity, title, text: says, sinceMs }: AlertLine, atMs: number): HTMLElement {
  const when = sinceMs === null ? '' : `for ${age(atMs, sinceMs)}`;
  return el(
    'p',
    { class: 'notice', 'data-tone': severity === 'critical' ? 'bad' : 'warn', role: 'alert' },
    el('b', {}, severity),
    el('span', {}, says),
    el('span', { class: 'faint' }, [title, when].filter(Boolean).join(' · ')),
  );
}

function age(atMs: number, sinceMs: number | null): string {
  return sinceMs === null ? '' : text(duration(Math.max(0, atMs - sinceMs)));
}

export function showAdvice({ advice }: Frame): void {
  const now = JSON.stringify(advice);
  if (now === shownAdvice || advice.length === 0) return;
  shownAdvice = now;
  const more = advice.slice(MOST);
  const isOpen = contentOf('advice').querySelector('details')?.open === true;
  contentOf('advice').replaceChildren(
    el('ul', { class: 'advice' }, ...advice.slice(0, MOST).map(adviceLine)),
    ...(more.length === 0
      ? []
      : [
          el(
            'details',
            { open: isOpen },
            el('summary', {}, `${more.length} more`),
            el('ul', { class: 'advice' }, ...more.map(adviceLine)),
          ),
        ]),
  );
}

function adviceLine({ priority, about, title, evidence, effect }: AdviceLine): HTMLElement {
  const tone = priority === 'high' ? 'bad' : priority === 'medium' ? 'warn' : 'calm';
  return el(
    'li',
    {},
    el('p', {}, el('span', { class: 'pill', 'data-tone': tone }, priority), ' ', el('b', {}, title)),
    !title.includes(about) && el('p', { class: 'about' }, el('code', {}, about)),
    el('p', {}, evidence),
    effect !== '' && el('p', { class: 'faint' }, effect),
  );
}
