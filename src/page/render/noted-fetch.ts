// `fetch` as a render is given it. What it fails at is noted as a failed read: a page that caught it is incomplete. So is
// one that was answered with a failure of the other side (5xx), or told to come back later (429).
import type { KeyRecorder } from '../../core/validity.ts';

const BODY_READERS = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const;
const TOO_MANY_REQUESTS = 429;

/** `onCall`: told of each call. */
export function notedFetch(
  fetch: typeof globalThis.fetch,
  keyRecorder: KeyRecorder,
  onCall: () => void = () => {},
): typeof globalThis.fetch {
  return (input, init) => {
    onCall();
    const what = () => `fetch ${addressOf(input)}`;
    return noted(keyRecorder, what, async () => {
      const response = await fetch(input, init);
      if (response.status >= 500 || response.status === TOO_MANY_REQUESTS) {
        keyRecorder.reading?.(what)(new Error(`The answer was ${response.status}.`));
      }
      for (const name of BODY_READERS) {
        const read = Reflect.get(response, name) as (() => Promise<unknown>) | undefined;
        if (read === undefined) continue;
        const value = () => noted(keyRecorder, what, () => read.call(response));
        Object.defineProperty(response, name, { value, configurable: true });
      }
      return response;
    });
  };
}

/** `work`, whose failure is noted; also where nothing awaits it any more. */
function noted<T>(keyRecorder: KeyRecorder, what: () => string, work: () => Promise<T>): Promise<T> {
  const end = keyRecorder.reading?.(what);
  const working = work();
  working.then(
    () => end?.(),
    (error: unknown) => end?.(error ?? new Error('rejected with nothing')),
  );
  return working;
}

/** Without its query, which holds keys and names. */
function addressOf(input: string | URL | Request): string {
  const text = input instanceof Request ? input.url : String(input);
  try {
    const { origin, pathname } = new URL(text);
    return origin + pathname;
  } catch {
    return 'of an address that is none';
  }
}
