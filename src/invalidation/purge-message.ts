// Purges as they travel: over a channel as one text, in the stream as fields. Both are input: whoever can write to
// Redis can write these, so nothing is believed that does not parse.
import type { DependencyKey, Seq } from '../core/units.ts';
import type { Purge } from './bus.ts';
import type { PurgeKind } from './clock-state.ts';

/** A longer dependency key is refused where it is made. */
export const MAX_KEY_LENGTH = 16_384;
/** More keys than this are published as several purges, so that one never blocks Redis for long. */
export const MAX_KEYS = 10_000;
/** One purge's keys as JSON; also the most that is read from a channel. */
const MAX_JSON_LENGTH = 1_048_576;

const HEADER = /^([\w-]{1,64}) ([1-9]\d{0,9}) (purge|expire) /;

/** `<epoch> <seq> <kind> <keys as JSON>`; undefined for anything else. */
export function parseMessage(text: string): Purge | undefined {
  if (text.length > MAX_JSON_LENGTH + 100) return undefined;
  const header = HEADER.exec(text);
  if (header === null) return undefined;
  const keys = parseKeys(text.slice(header[0].length));
  if (keys === undefined) return undefined;
  return { epoch: header[1] ?? '', seq: Number(header[2]), kind: header[3] as PurgeKind, keys };
}

/** A stream entry `[id, [field, value, ...]]`; undefined where it is not ours or came without its keys. */
export function parseStreamEntry(epoch: string, id: string, fields: readonly string[]): Purge | undefined {
  const seq: Seq = Number(id.slice(0, id.indexOf('-')));
  const [kindName, kind, keysName, json = ''] = fields;
  if (kindName !== 'kind' || keysName !== 'keys' || (kind !== 'purge' && kind !== 'expire')) return undefined;
  const keys = parseKeys(json);
  return keys === undefined || !Number.isSafeInteger(seq) ? undefined : { epoch, seq, kind, keys };
}

/** Splits keys so that each part can travel as one message; no keys are one empty part. */
export function* inParts(keys: readonly DependencyKey[]): Generator<readonly DependencyKey[]> {
  let part: DependencyKey[] = [];
  let length = 2;
  for (const key of keys) {
    // A character takes at most six in JSON (\u0000), and a comma and two quotes go around the key.
    const worst = key.length * 6 + 3;
    if (part.length === MAX_KEYS || (part.length > 0 && length + worst > MAX_JSON_LENGTH)) {
      yield part;
      part = [];
      length = 2;
    }
    part.push(key);
    length += worst;
  }
  if (part.length > 0 || keys.length === 0) yield part;
}

function parseKeys(json: string): readonly DependencyKey[] | undefined {
  if (json === '') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || parsed.length > MAX_KEYS) return undefined;
  return parsed.every((key) => typeof key === 'string' && key.length <= MAX_KEY_LENGTH) ? parsed : undefined;
}
