// Reads the few request headers that decide how a cached page is sent, straight from the list the parser made:
// building Node's headers object costs more than the rest of a hit.
import { RecentMap } from '../../core/recent-map.ts';

/** Where one of these is present the ordinary path answers. */
const STEP_ASIDE: readonly string[] = [
  // a body, or a protocol other than plain keep-alive
  ...['content-length', 'transfer-encoding', 'expect', 'upgrade', 'trailer', 'te', 'http2-settings'],
  // conditions other than If-None-Match, and parts
  ...['range', 'if-range', 'if-match', 'if-unmodified-since', 'if-modified-since'],
  // may name an operator, or asks for another answer
  ...['authorization', 'x-no-compression', 'surrogate-capability'],
];
const STEP_ASIDE_PREFIX = 'x-coherent-';

type Meaning =
  | 'ignored'
  | 'step-aside'
  | 'connection'
  | 'host'
  | 'accept-encoding'
  | 'if-none-match'
  | 'x-forwarded-proto'
  | 'captured';

const READ: readonly Meaning[] = [
  'connection',
  'host',
  'accept-encoding',
  'if-none-match',
  'x-forwarded-proto',
];

/** A request with more header lines is not what browsers send; the ordinary path counts and refuses them. */
const MAX_HEADER_LINES = 64;

/** Names come in few spellings. */
const MAX_SPELLINGS = 1024;
const LONGEST_REMEMBERED = 64;

/**
 * One per worker; `read` fills its fields, so that a hit allocates nothing. They hold until the next `read`.
 */
export class HitRequest {
  host = '';
  acceptEncoding: string | undefined = undefined;
  ifNoneMatch: string | undefined = undefined;
  /** As it came: whether its sender is believed is for the front to say. */
  forwardedProto: string | undefined = undefined;
  readonly #captures: readonly string[];
  /** What came of `#captures`, in their order. */
  readonly #captured: (string | undefined)[];
  readonly #meanings = new RecentMap<Meaning>(MAX_SPELLINGS);

  /** `captures`: lower-case names of the headers that `captured` is asked for. */
  constructor(captures: readonly string[] = []) {
    this.#captures = captures;
    this.#captured = captures.map(() => undefined);
  }

  /** Undefined: not sent, or not one of those that are captured. */
  captured(name: string): string | undefined {
    return this.#captured[this.#captures.indexOf(name)];
  }

  /** Whether this spelling of a name need not be judged again. */
  remembered(name: string): boolean {
    return this.#meanings.get(name) !== undefined;
  }

  /** False: something about this request is not ours to answer. `raw` is name, value, name, value. */
  read(raw: readonly string[]): boolean {
    this.host = '';
    this.acceptEncoding = undefined;
    this.ifNoneMatch = undefined;
    this.forwardedProto = undefined;
    if (this.#captured.length > 0) this.#captured.fill(undefined);
    if (raw.length > 2 * MAX_HEADER_LINES) return false;
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const meaning = this.#meaningOf(raw[index] ?? '');
      if (meaning === 'ignored') continue;
      if (meaning === 'captured') {
        if (!this.#capture(raw[index] ?? '', raw[index + 1] ?? '')) return false;
      } else if (!this.#take(meaning, raw[index + 1] ?? '')) return false;
    }
    return this.host !== '';
  }

  /** A header that came twice is left to the ordinary path, which knows how each is joined. */
  #take(meaning: Exclude<Meaning, 'ignored' | 'captured'>, value: string): boolean {
    switch (meaning) {
      case 'host':
        if (this.host !== '') return false;
        this.host = value;
        return true;
      case 'accept-encoding':
        if (this.acceptEncoding !== undefined) return false;
        this.acceptEncoding = value;
        return true;
      case 'if-none-match':
        if (this.ifNoneMatch !== undefined) return false;
        this.ifNoneMatch = value;
        return true;
      case 'x-forwarded-proto':
        if (this.forwardedProto !== undefined) return false;
        this.forwardedProto = value;
        return true;
      case 'connection':
        return value === 'keep-alive' || value.toLowerCase() === 'keep-alive';
      case 'step-aside':
        return false;
    }
  }

  #capture(name: string, value: string): boolean {
    const at = this.#captures.indexOf(name.toLowerCase());
    if (this.#captured[at] !== undefined) return false;
    this.#captured[at] = value;
    return true;
  }

  #meaningOf(name: string): Meaning {
    const known = this.#meanings.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    const meaning = this.#captures.includes(lower) ? 'captured' : judge(lower);
    if (name.length <= LONGEST_REMEMBERED) this.#meanings.set(name, meaning);
    return meaning;
  }
}

function judge(name: string): Meaning {
  if (STEP_ASIDE.includes(name) || name.startsWith(STEP_ASIDE_PREFIX)) return 'step-aside';
  return READ.find((meaning) => meaning === name) ?? 'ignored';
}
