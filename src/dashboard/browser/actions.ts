// What changes something on the server, and what it said.
import { byId } from './dom.ts';

export interface Reply {
  readonly ok: boolean;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** No form of another site can send this header. */
const headers = { 'x-coherent-action': 'dashboard', 'content-type': 'application/json' };

/** Never rejects: an unreachable server is an answer too. */
export async function act(name: 'purge' | 'reload' | 'drain', question: unknown = {}): Promise<Reply> {
  return ask(`/dashboard/do/${name}`, { method: 'POST', headers, body: JSON.stringify(question) });
}

export async function explain(name: 'url' | 'key', what: string): Promise<Reply> {
  return ask(`/dashboard/do/explain?${new URLSearchParams({ [name]: what })}`, { headers });
}

async function ask(address: string, init: RequestInit): Promise<Reply> {
  try {
    const response = await fetch(address, init);
    const body: unknown = await response.json().catch(() => ({}));
    return { ok: response.ok, status: response.status, body: isRecord(body) ? body : {} };
  } catch {
    return { ok: false, status: 0, body: { error: 'the server does not answer' } };
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function errorOf({ body, status }: Reply): string {
  const { error, status: said } = body;
  if (typeof error === 'string') return error;
  return typeof said === 'string' ? said : `the server answered ${status}`;
}

let hide: number | undefined;

/** One line at the foot of the page, read out by screen readers, for some seconds. */
export function say(line: string, isGood: boolean): void {
  const place = byId('said');
  place.textContent = line;
  place.dataset.tone = isGood ? 'good' : 'bad';
  clearTimeout(hide);
  hide = setTimeout(() => {
    place.textContent = '';
  }, 8000);
}
