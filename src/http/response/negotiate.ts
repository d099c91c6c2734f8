import Negotiator from 'negotiator';
import type { PageEntry } from '../../cache/entry.ts';
import { RecentMap } from '../../core/recent-map.ts';
import type { Encoding } from '../../page/encode/encode.ts';

export type { Encoding };

const OURS: readonly Encoding[] = ['br', 'gzip', 'identity'];
const IDENTITY_ONLY: readonly Encoding[] = Object.freeze<Encoding[]>(['identity']);

/** Browsers send a handful of values. */
const MAX_REMEMBERED = 256;
/** Longer than any that a client has a reason to send. To parse one of several KB costs a hundred times a hit. */
const MAX_LENGTH = 256;

/** Turns Accept-Encoding into the encodings we may send, best first; remembers the answer by header value. */
export class EncodingChoice {
  readonly #remembered = new RecentMap<readonly Encoding[]>(MAX_REMEMBERED);

  /** How many header values are known. */
  get remembered(): number {
    return this.#remembered.size;
  }

  /**
   * `noCompression`: the request carries `x-no-compression`, whatever its value. Never empty. A value that is too long
   * is read as if there were none.
   */
  preferred(acceptEncoding: string | undefined, noCompression = false): readonly Encoding[] {
    if (noCompression || acceptEncoding === undefined || acceptEncoding.length > MAX_LENGTH)
      return IDENTITY_ONLY;
    const known = this.#remembered.get(acceptEncoding);
    if (known !== undefined) return known;
    const list = parse(acceptEncoding);
    this.#remembered.set(acceptEncoding, list);
    return list;
  }
}

/** negotiator's second argument, which its published types leave out. */
interface Negotiating {
  encodings(available: readonly string[], options: { preferred: readonly string[] }): string[];
}

function parse(acceptEncoding: string): readonly Encoding[] {
  const negotiator: Negotiating = new Negotiator({ headers: { 'accept-encoding': acceptEncoding } });
  const accepted = negotiator.encodings(OURS, { preferred: OURS }).filter(isOurs);
  // `identity;q=0` with nothing else we have: a page that can be read beats a 406 (RFC 9110, 12.5.3 leaves it open).
  if (!accepted.includes('identity')) accepted.push('identity');
  return Object.freeze(accepted);
}

function isOurs(name: string): name is Encoding {
  return name === 'br' || name === 'gzip' || name === 'identity';
}

/** The best of `preferred` that the entry has bytes for. */
export function pickEncoding(
  entry: Pick<PageEntry, 'gzip' | 'brotli'>,
  preferred: readonly Encoding[],
): Encoding {
  for (const encoding of preferred) {
    if (encoding === 'identity') return encoding;
    if (encoding === 'br' ? entry.brotli !== undefined : entry.gzip !== undefined) return encoding;
  }
  return 'identity';
}
