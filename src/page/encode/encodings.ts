// The compressed bodies of a page, made when they turn out to be wanted. A page that is rebuilt once a second would
// otherwise cost more to compress than to render, and one that is asked for once is compressed in vain.
//
//   draft     rendered while a visitor waits: plain bytes. Each encoding that is asked for is added, quickly compressed
//   finished  a second after a compressed one was asked for again, if it is still held: compressed well, in the background;
//             replaces the draft in every tier
//
// A draft's tag ends in a mark: its compressed bytes are not those of the finished entry, and a strong ETag names bytes.
// Entries stay immutable: each step makes a new one, which takes the place of the one before.

import type { Cache, CacheKey } from '../../cache/contract.ts';
import type { PageEntry } from '../../cache/entry.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import { andThen, type Eventually } from '../../core/eventually.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { DRAFT, type Encoding, encode, encodeQuickly } from './encode.ts';

type Compressed = Exclude<Encoding, 'identity'>;

/** How long a page that is asked for again must last before it is worth compressing well. */
const FINISH_AFTER_MS: Milliseconds = 1000;
/** More pages than this do not wait for it at once; what comes beyond is looked at when it is next asked for. */
const MAX_WAITING = 1000;

/** Its compressed bodies are missing, or quickly made. */
function isDraft({ tag }: Pick<PageEntry, 'tag'>): boolean {
  return tag.endsWith(DRAFT);
}

export interface EncodingsOptions {
  readonly cache: Cache<PageEntry>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where an entry lies in the cache. */
export interface Place {
  readonly key: CacheKey;
  readonly group: string;
  /** It was there before this request: another request asked for it. */
  readonly again: boolean;
}

export class PageEncodings {
  readonly #options: EncodingsOptions;
  /** What became of a draft, for those who hold an older one (many may wait for one render). */
  readonly #next = new WeakMap<PageEntry, Eventually<PageEntry>>();
  readonly #waiting = new Map<CacheKey, Timer>();
  readonly #due: (() => Promise<void>)[] = [];
  #finishing: Promise<void> | undefined;
  #closed = false;

  constructor(options: EncodingsOptions) {
    this.#options = options;
  }

  /**
   * The entry with a body for a client that takes `wanted` best; a promise only for a draft. `place` is undefined for what
   * is in no cache.
   */
  ready(entry: PageEntry, wanted: Encoding, place: Place | undefined): Eventually<PageEntry> {
    if (wanted === 'identity' || !isDraft(entry)) return entry;
    // What stands in for a failure is soon gone.
    if (place?.again === true && entry.incomplete !== true) this.#finishLater(place);
    return this.#with(entry, wanted, place);
  }

  /** Forgets what it would still have compressed, and waits for what it is compressing. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
    this.#due.length = 0;
    await this.#finishing;
  }

  #with(entry: PageEntry, encoding: Compressed, place: Place | undefined): Eventually<PageEntry> {
    if (!lacks(entry, encoding)) return entry;
    let next = this.#next.get(entry);
    if (next === undefined) {
      next = this.#add(entry, encoding, place);
      this.#next.set(entry, next);
    }
    return andThen(next, (latest) => this.#with(latest, encoding, place));
  }

  /** `entry` and a body in `encoding`. Where nothing is saved it is finished as it is. */
  #add(entry: PageEntry, encoding: Compressed, place: Place | undefined): Eventually<PageEntry> {
    const added = (body: Buffer | undefined): PageEntry => {
      const after = Object.freeze(
        body === undefined
          ? { ...entry, tag: entry.tag.slice(0, -DRAFT.length) }
          : { ...entry, [encoding === 'br' ? 'brotli' : 'gzip']: body },
      );
      if (place !== undefined)
        this.#options.cache.replace(place.key, entry, after, { group: place.group, share: false });
      return after;
    };
    return andThen(encodeQuickly(entry.identity, encoding), added);
  }

  #finishLater({ key, group }: Place): void {
    if (this.#closed || this.#waiting.has(key) || this.#waiting.size >= MAX_WAITING) return;
    const timer = this.#options.clock.after(FINISH_AFTER_MS, () => {
      this.#due.push(async () => {
        this.#waiting.delete(key);
        await this.#finish(key, group);
      });
      this.#finishing ??= this.#finishAll().finally(() => {
        this.#finishing = undefined;
      });
    });
    this.#waiting.set(key, timer);
  }

  /** One after the other: the threads are the renders' and the files', too. */
  async #finishAll(): Promise<void> {
    for (let finish = this.#due.shift(); finish !== undefined; finish = this.#due.shift()) await finish();
  }

  async #finish(key: CacheKey, group: string): Promise<void> {
    const { cache, log } = this.#options;
    const draft = cache.peek(key);
    // Purged, displaced or finished meanwhile.
    if (draft === undefined || !isDraft(draft)) return;
    try {
      const bodies = await encode(draft.identity);
      const after = Object.freeze({ ...draft, ...bodies, tag: draft.tag.slice(0, -DRAFT.length) });
      cache.replace(key, draft, after, { group, share: true });
    } catch (error) {
      log.warn({ err: error, group }, 'a page could not be compressed; it stays as it is');
    }
  }
}

/** A draft that has no body in `encoding` yet. */
export function lacks(entry: Pick<PageEntry, 'tag' | 'gzip' | 'brotli'>, encoding: Encoding): boolean {
  if (encoding === 'identity' || !isDraft(entry)) return false;
  return (encoding === 'br' ? entry.brotli : entry.gzip) === undefined;
}
