// Purges as they travel: over a channel as one text, in the stream as fields. Both are input: a client that can write to
// Redis can write these, so nothing is believed that does not parse.
import type { DependencyKey, EpochMs, Seq } from '../../core/units.ts';
import type { PurgeKind } from '../clock/clock-state.ts';
import type { Purge } from './bus.ts';

/** A longer dependency key is refused where it is made. */
export const MAX_KEY_LENGTH = 16_384;
/** More keys than this are published as several purges, so that one never blocks Redis for long. */
export const MAX_KEYS = 10_000;
/** One purge's keys as JSON; also the most that is read from a channel. */
const MAX_JSON_LENGTH = 1_048_576;

/** Milliseconds since 1970 with the microseconds that the database knows; nothing else is taken for a time. */
const TIME = /^\d{1,14}(?:\.\d{1,3})?$/;
const HEADER = /^([\w-]{1,64}) ([1-9]\d{0,9}) (purge|expire)(?:@(\d{1,14}(?:\.\d{1,3})?))? /;

/** As it goes into a message or the stream; '' where nothing was committed. */
export function timeText(committedMs: EpochMs | undefined): string {
  if (committedMs === undefined || !(committedMs >= 0) || committedMs >= 1e14) return '';
  return String(Math.round(committedMs * 1000) / 1000);
}

/** `<epoch> <seq> <kind>[@<time of the commit>] <keys as JSON>`; undefined for anything else. */
export function parseMessage(text: string): Purge | undefined {
  if (text.length > MAX_JSON_LENGTH + 100) return undefined;
  const header = HEADER.exec(text);
  if (header === null) return undefined;
  const keys = parseKeys(text.slice(header[0].length));
  if (keys === undefined) return undefined;
  const [, epoch = '', seq, kind, time] = header;
  return { epoch, seq: Number(seq), kind: kind as PurgeKind, keys, ...committed(time) };
}

/** A stream entry `[id, [field, value, ...]]`; undefined where it is not ours or came without its keys. */
export function parseStreamEntry(epoch: string, id: string, fields: readonly string[]): Purge | undefined {
  const seq: Seq = Number(id.slice(0, id.indexOf('-')));
  const [kindName, kind, keysName, json = '', timeName, time] = fields;
  if (kindName !== 'kind' || keysName !== 'keys' || (kind !== 'purge' && kind !== 'expire')) return undefined;
  const keys = parseKeys(json);
  if (keys === undefined || !Number.isSafeInteger(seq)) return undefined;
  return { epoch, seq, kind, keys, ...(timeName === 'at' && committed(time)) };
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

/** A time that is none is left out: it is there for figures, and the purge itself must not be lost for it. */
function committed(time: string | undefined): { readonly committedMs?: EpochMs } {
  return time === undefined || !TIME.test(time) ? {} : { committedMs: Number(time) };
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
