import { act, errorOf, say } from './actions.ts';
import { confirmed } from './confirm.ts';
import { byId, contentOf, el, find, inputById } from './dom.ts';

export function wirePurge(): void {
  find(byId('purge'), 'form').addEventListener('submit', (event) => {
    event.preventDefault();
    void purge(inputById('purge-keys').value, inputById('purge-expire').checked);
  });
}

async function purge(text: string, expires: boolean): Promise<void> {
  const all = text.split(/\s+/).filter((key) => key !== '');
  const patterns = all.filter((key) => key.includes('*'));
  const keys = all.filter((key) => !key.includes('*'));
  if (all.length === 0) return;
  const verb = expires ? 'Expire' : 'Purge';
  const why = 'On every box: what was made from them is rendered again when it is next asked for.';
  if (patterns.length > 0 && !(await confirmed(`${verb} all keys like ${patterns.join(', ')}?`, why, verb)))
    return;
  const kind = expires ? 'expire' : 'purge';
  // Waits until every worker has applied it: a reload after that must show the new page.
  const reply = await act('purge', { keys, patterns, kind, wait: true });
  const { seq, workers, keys: number } = reply.body;
  const done =
    number === 0
      ? 'Nothing is held that fits.'
      : `${verb}d ${number} ${number === 1 ? 'key' : 'keys'}${workers === undefined ? '' : `, applied by ${workers} ${workers === 1 ? 'worker' : 'workers'}`}.`;
  const line = reply.ok ? done : errorOf(reply);
  const detail = typeof seq === 'number' ? el('p', { class: 'faint' }, `purge number ${seq}`) : undefined;
  contentOf('purge').replaceChildren(
    el('p', { class: reply.ok ? 'good' : 'problem' }, line),
    ...(detail ? [detail] : []),
  );
  say(line, reply.ok);
}
