// Asks the workers why a page is cached, or what a key stands for. What they say is shown as text, whatever it holds.
import { errorOf, explain, isRecord } from './actions.ts';
import { byId, contentOf, el, find, inputById } from './dom.ts';

const MOST = 40;

export function wireExplain(): void {
  find(byId('explain'), 'form').addEventListener('submit', (event) => {
    event.preventDefault();
    void show(inputById('explain-what').value.trim());
  });
}

async function show(what: string): Promise<void> {
  const place = contentOf('explain');
  place.replaceChildren(el('p', { class: 'empty' }, 'asking…'));
  const isPath = what.startsWith('/');
  const reply = await explain(isPath ? 'url' : 'key', what);
  const { workers } = reply.body;
  if (!reply.ok || !Array.isArray(workers)) {
    place.replaceChildren(el('p', { class: 'problem' }, errorOf(reply)));
    return;
  }
  const all = workers.filter(isRecord);
  place.replaceChildren(...(isPath ? explainedPage(all, reply.body.why) : explainedKey(all)));
}

type Said = Readonly<Record<string, unknown>>;

function explainedPage(workers: readonly Said[], why: unknown): HTMLElement[] {
  const [first = {}] = workers;
  const known = workers.find(({ keys }) => Array.isArray(keys) && keys.length > 0) ?? first;
  const where = workers.map(({ tiers }, index) => {
    const held = records(tiers).map(
      ({ tier, verdict, freshUntil }) => `${said(tier)} ${said(verdict)}, fresh until ${clock(freshUntil)}`,
    );
    const line = held.length === 0 ? 'nowhere: the next visitor has it rendered' : held.join(' · ');
    return el('li', {}, workers.length > 1 ? `worker ${index + 1}: ${line}` : line);
  });
  return [
    pair('Route', el('code', {}, said(known.route))),
    pair('Lies in', el('ul', {}, ...where)),
    ...madeFrom(records(known.keys), why),
  ];
}

/** By the statements that gave the keys, where a render has just told which; otherwise the keys alone. */
function madeFrom(keys: readonly Said[], why: unknown): HTMLElement[] {
  if (!isRecord(why)) {
    return [pair('Made from', list(keys.map(said), 'nothing that changes is recorded'))];
  }
  const bySource = new Map<string, Said[]>();
  for (const each of records(why.keys)) {
    for (const from of texts(each.from)) bySource.set(from, [...(bySource.get(from) ?? []), each]);
  }
  const groups = [...bySource].map(([from, given]) => {
    const shown = given
      .slice(0, MOST)
      .map((each) =>
        el(
          'li',
          {},
          el('code', {}, said(each)),
          ' ',
          el('span', { class: 'faint' }, texts([each.meaning]).join('')),
        ),
      );
    const more = given.length - shown.length;
    return pair(
      'Made from',
      el(
        'div',
        {},
        el('p', { class: 'source' }, el('code', {}, from)),
        el('ul', {}, ...shown, more > 0 && el('li', { class: 'faint' }, `and ${more} more`)),
      ),
    );
  });
  const untracked = texts(why.untracked);
  return [...groups, ...(untracked.length > 0 ? [pair('Not followed', list(untracked, ''))] : [])];
}

function explainedKey(workers: readonly Said[]): HTMLElement[] {
  const together = (name: string) => [...new Set(workers.flatMap((each) => texts(each[name])))];
  return [
    pair('Purges', list(together('purges'), 'nothing')),
    pair('Pages', list(together('pages'), 'no page in memory was made from it')),
    pair('Fragments', list(together('fragments'), 'no fragment in memory was made from it')),
  ];
}

function pair(title: string, value: HTMLElement): HTMLElement {
  return el('div', { class: 'pair' }, el('h3', {}, title), value);
}

function list(items: readonly string[], otherwise: string): HTMLElement {
  if (items.length === 0) return el('p', { class: 'faint' }, otherwise);
  const shown = items.slice(0, MOST).map((item) => el('li', {}, el('code', {}, item)));
  const more = items.length - shown.length;
  return el('ul', {}, ...shown, more > 0 && el('li', { class: 'faint' }, `and ${more} more`));
}

function records(value: unknown): Said[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(said) : [];
}

function said(value: unknown): string {
  if (typeof value === 'string') return value;
  return isRecord(value) && typeof value.key === 'string' ? value.key : JSON.stringify(value ?? null);
}

function clock(iso: unknown): string {
  return typeof iso === 'string' ? new Date(iso).toLocaleTimeString('en-GB') : '?';
}
