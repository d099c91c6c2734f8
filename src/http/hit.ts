// The shortcut: most requests end here. A request target that was answered from memory before is found by its raw
// bytes, without being parsed; the cache is asked whether its entry is still fresh and valid; bytes that lie ready
// are written to the socket. Anything unusual is left to the ordinary path, which teaches the shortcut (`learn`).
//
// Why a learned target may be answered without looking at the rest of the request: the ordinary path has mapped
// this target (and Host) to this key before, the page declared no `vary`, so the key follows from the target alone,
// and hit-request.ts steps aside where a header could ask for anything but another encoding or a 304.
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { PageEntry } from '../cache/entry.ts';
import type { CacheKey, TierName } from '../cache/stack-contract.ts';
import type { Clock } from '../core/clock.ts';
import type { Bytes } from '../core/units.ts';
import { bodyOf, etagOf } from './answer.ts';
import { matchesTag } from './conditional.ts';
import { HitAnswer, HttpDate, type Sender } from './hit-answer.ts';
import { HitConnection } from './hit-connection.ts';
import { HitRequest } from './hit-request.ts';
import { HitTable } from './hit-table.ts';
import { type Encoding, type EncodingChoice, pickEncoding } from './negotiate.ts';

/** What the shortcut needs of the cache: memory only, fresh and valid or undefined. */
export interface HitCache {
  peek(key: CacheKey): PageEntry | undefined;
}

export interface HitOptions {
  readonly cache: HitCache;
  readonly clock: Clock;
  readonly encodings: EncodingChoice;
  /** For prepared answers: heads, small bodies once more, the targets themselves. */
  readonly maxBytes: Bytes;
}

/** An answer from memory that the ordinary path has just given to a GET or HEAD. */
export interface Learned {
  /** `request.url`, as it came. */
  readonly target: string;
  /** The Host header, as it came. */
  readonly host: string;
  readonly key: CacheKey;
  readonly entry: PageEntry;
  readonly tier: TierName;
  /** The request headers that took part in the key; with any, the target alone does not name the entry. */
  readonly vary: readonly string[];
}

export interface HitStats {
  /** Answers given, those without a body included. */
  readonly answers: number;
  readonly notModified: number;
  /** Handed to the operating system or queued for it, heads included. */
  readonly bytes: Bytes;
  /** Request targets that are known. */
  readonly targets: number;
}

/** APM tools listen here for every request; while one does, Node must see every request. */
const requestStarts = channel('http.server.request.start');

const FIXED_BYTES = 640;

/** One request target. It does not hold the entry, only what tells that an entry still gives the same bytes. */
class KnownTarget {
  readonly host: string;
  readonly key: CacheKey;
  readonly tier: TierName;
  readonly full: Record<Encoding, HitAnswer | undefined> = {
    br: undefined,
    gzip: undefined,
    identity: undefined,
  };
  readonly notModified: Record<Encoding, HitAnswer | undefined> = { ...this.full };
  readonly tags: Readonly<Record<Encoding, string>>;
  readonly #headers: PageEntry['headers'];
  readonly #status: number;
  readonly #tag: string;
  /** An entry's other encodings may be made after it was first sent. */
  readonly #gzipBytes: Bytes | undefined;
  readonly #brotliBytes: Bytes | undefined;
  readonly #freshUntilMs: number;
  #preferred: readonly Encoding[] | undefined = undefined;
  #encoding: Encoding = 'identity';
  bytes: Bytes;

  constructor({ target, host, key, tier, entry }: Learned) {
    this.host = host;
    this.key = key;
    this.tier = tier;
    this.#headers = entry.headers;
    this.#status = entry.status;
    this.#tag = entry.tag;
    this.#gzipBytes = entry.gzip?.length;
    this.#brotliBytes = entry.brotli?.length;
    this.#freshUntilMs = entry.freshUntilMs;
    this.tags = { br: etagOf(entry, 'br'), gzip: etagOf(entry, 'gzip'), identity: etagOf(entry, 'identity') };
    this.bytes = FIXED_BYTES + target.length + key.length;
  }

  /** Lists of what is preferred are shared, one for each value of the header; nearly always it is the one of the hit before. */
  encodingFor(preferred: readonly Encoding[], entry: PageEntry): Encoding {
    if (preferred !== this.#preferred) {
      this.#preferred = preferred;
      this.#encoding = pickEncoding(entry, preferred);
    }
    return this.#encoding;
  }

  /** All that the answer's bytes are made of is the same (the tag stands for the body). */
  gives(entry: PageEntry): boolean {
    return (
      entry.headers === this.#headers &&
      entry.freshUntilMs === this.#freshUntilMs &&
      entry.status === this.#status &&
      entry.tag === this.#tag &&
      entry.gzip?.length === this.#gzipBytes &&
      entry.brotli?.length === this.#brotliBytes
    );
  }
}

export class HitPath {
  readonly #cache: HitCache;
  readonly #clock: Clock;
  readonly #encodings: EncodingChoice;
  readonly #table: HitTable<KnownTarget>;
  readonly #request = new HitRequest();
  #sender: Sender = { date: new HttpDate(), keepAliveSeconds: 0 };
  #on = true;
  #answers = 0;
  #notModified = 0;
  #bytes: Bytes = 0;

  constructor({ cache, clock, encodings, maxBytes }: HitOptions) {
    this.#cache = cache;
    this.#clock = clock;
    this.#encodings = encodings;
    this.#table = new HitTable(maxBytes);
  }

  /** Before the server listens. One server per HitPath: heads announce the server's own keep-alive. */
  attach(server: Server): void {
    // Node counts requests per socket in its own state, which we do not see.
    if ((server.maxRequestsPerSocket ?? 0) > 0) this.stop();
    this.#sender = { date: new HttpDate(), keepAliveSeconds: Math.floor(server.keepAliveTimeout / 1000) };
    const take = this.#take.bind(this);
    server.on('connection', (socket: Socket) => HitConnection.stand(server, socket, take));
  }

  learn(answered: Learned): void {
    const { entry, tier, vary, target } = answered;
    if (!this.#on || vary.length > 0 || (tier !== 'l1' && tier !== 'static')) return;
    const known = this.#table.get(target);
    if (known?.host === answered.host && known.key === answered.key && known.gives(entry)) return;
    this.#table.set(target, new KnownTarget(answered));
  }

  /** For good: the worker drains (every answer then says `Connection: close`), or the proof failed. */
  stop(): void {
    this.#on = false;
    this.#table.clear();
  }

  stats(): HitStats {
    return {
      answers: this.#answers,
      notModified: this.#notModified,
      bytes: this.#bytes,
      targets: this.#table.size,
    };
  }

  #take({ method, url, rawHeaders }: IncomingMessage, connection: HitConnection): boolean {
    const head = method === 'HEAD';
    if (!this.#on || (method !== 'GET' && !head) || url === undefined || requestStarts.hasSubscribers)
      return false;
    const known = this.#table.get(url);
    if (known === undefined) return false;
    const request = this.#request;
    if (!request.read(rawHeaders) || request.host !== known.host) return false;
    const entry = this.#cache.peek(known.key);
    if (entry === undefined || !known.gives(entry)) {
      this.#table.delete(url);
      return false;
    }
    const encoding = known.encodingFor(this.#encodings.preferred(request.acceptEncoding), entry);
    const { ifNoneMatch } = request;
    const held =
      ifNoneMatch !== undefined && entry.status === 200 && matchesTag(ifNoneMatch, known.tags[encoding]);
    const nowMs = this.#clock.now();
    const answer = this.#answerOf(known, entry, encoding, held, nowMs);
    const bytes = head ? answer.head(entry, nowMs) : answer.bytes(entry, nowMs);
    const rest = answer.bodyApart && !head ? bodyOf(entry, encoding) : undefined;
    if (!connection.write(bytes, rest)) answer.pin();
    this.#answers++;
    if (held) this.#notModified++;
    this.#bytes += bytes.length + (rest === undefined ? 0 : rest.length);
    return true;
  }

  #answerOf(
    known: KnownTarget,
    entry: PageEntry,
    encoding: Encoding,
    held: boolean,
    nowMs: number,
  ): HitAnswer {
    const ready = held ? known.notModified : known.full;
    const there = ready[encoding];
    if (there !== undefined) return there;
    const ifNoneMatch = held ? known.tags[encoding] : undefined;
    const asked = { method: 'GET', encodings: [encoding], ifNoneMatch } as const;
    const answer = new HitAnswer(entry, known.tier, asked, this.#sender, nowMs);
    ready[encoding] = answer;
    known.bytes += answer.size;
    this.#table.grew(answer.size);
    return answer;
  }
}
