// The fast path: most requests end here. A request target that was answered from memory before is found by its raw
// bytes, without being parsed; the cache is asked whether its entry is still fresh and valid; bytes that lie ready
// are written to the socket. Anything unusual is left to the ordinary path, which teaches the fast path (`learn`).
//
// Why a learned target may be answered without looking at the rest of the request: the ordinary path has mapped
// this target (and Host, which it has found to be one that we answer for) to this key before, the page declared no
// `vary`, so the key follows from the target alone, and hit-request.ts steps aside where a header could ask for anything
// but another encoding or a 304.
//
// What a target leads to may change with time: the schema of an input may say today's date, or ask a variable. So where a
// page has inputs a target is believed for BELIEVED_MS, and then its inputs are parsed anew (docs/decisions/0038).
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { CacheKey, TierName } from '../../cache/contract.ts';
import type { PageEntry } from '../../cache/entry.ts';
import type { Clock } from '../../core/clock.ts';
import type { Bytes, Milliseconds } from '../../core/units.ts';
import type { Chosen, PageVariants } from '../../page/definitions/variants.ts';
import { lacks } from '../../page/encode/encodings.ts';
import { bringsCookie } from '../../page/request/brings-cookie.ts';
import { type AccessLog, pathForLog } from '../observability/access-log.ts';
import { RequestTail } from '../observability/request-tail.ts';
import type { FastPathUse } from '../observability/usage.ts';
import { NO_HEADERS, TrustProxy } from '../request/trust-proxy.ts';
import { matchesTag } from '../response/conditional.ts';
import { type Encoding, type EncodingChoice, pickEncoding } from '../response/negotiate.ts';
import { bodyOf, etagOf } from '../response/response.ts';
import { HitConnection } from './hit-connection.ts';
import { HitRequest } from './hit-request.ts';
import { HitResponse, HttpDate, type Sender } from './hit-response.ts';
import { HitTable } from './hit-table.ts';

/** What the fast path needs of the cache: memory only, fresh and valid or undefined. */
export interface HitCache {
  peek(key: CacheKey): PageEntry | undefined;
}

export interface HitOptions {
  readonly cache: HitCache;
  readonly clock: Clock;
  readonly encodings: EncodingChoice;
  /** For prepared answers: heads, small bodies once more, the targets themselves. */
  readonly maxBytes: Bytes;
  /** The one of the ordinary path. */
  readonly trustProxy?: Pick<TrustProxy, 'transport' | 'clientAddress'>;
  readonly access?: AccessLog;
  readonly tail?: RequestTail;
  /** Request headers, lower case, that variants read; with holes, `cookie`. */
  readonly captures?: readonly string[];
  /** Hosts are inputs: one target leads to another page for each. */
  readonly byHost?: boolean;
}

/** An answer from memory that the ordinary path has just given to a GET or HEAD. */
export interface Learned {
  /** `request.url`, as it came. */
  readonly target: string;
  /** The Host header, as it came. */
  readonly host: string;
  readonly key: CacheKey;
  /** The key that the target leads to by now (PageResponse.keyNow). */
  readonly keyNow?: (() => CacheKey | undefined) | undefined;
  readonly entry: PageEntry;
  readonly tier: TierName;
  /** The request headers that took part in the key; with any, the target alone does not name the entry. */
  readonly vary: readonly string[];
  /** The page comes in these variants, and this is what was chosen for the request. */
  readonly variants?: { readonly of: PageVariants; readonly chosen: Chosen } | undefined;
  /** It has holes: who brings one of these cookies asks the ordinary path. */
  readonly cookies?: readonly string[] | undefined;
  /** Headers that the way here asked for (Front.transport). Another way asks the ordinary path. */
  readonly transport?: readonly string[] | undefined;
  /** Where its hits are counted. */
  readonly use?: FastPathUse | undefined;
  /** The template, for the log. */
  readonly route?: string;
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
/** Of `keyNow`, with what it holds of the request. */
const FIXED_BYTES_OF_INPUTS = 320;
const FIXED_BYTES_OF_FORK = 160;
/** How long a target leads to the key that it was found to lead to. */
const BELIEVED_MS: Milliseconds = 1000;

/** A target that leads to another page for each combination of variants: each lies in the table by a name of its own. */
class Fork {
  readonly fork: PageVariants;
  readonly bytes: Bytes;

  constructor(variants: PageVariants, name: string) {
    this.fork = variants;
    this.bytes = FIXED_BYTES_OF_FORK + name.length;
  }
}

/** One request target. It does not hold the entry, only what tells that an entry still gives the same bytes. */
class KnownTarget {
  readonly fork = undefined;
  readonly host: string;
  readonly transport: readonly string[];
  readonly key: CacheKey;
  readonly keyNow: Learned['keyNow'];
  readonly cookies: Learned['cookies'];
  /** When it was last found to lead to the key. */
  foundMs: Milliseconds;
  readonly tier: TierName;
  readonly route: string | undefined;
  readonly use: FastPathUse;
  readonly full: Record<Encoding, HitResponse | undefined> = {
    br: undefined,
    gzip: undefined,
    identity: undefined,
  };
  readonly notModified: Record<Encoding, HitResponse | undefined> = { ...this.full };
  readonly tags: Readonly<Record<Encoding, string>>;
  readonly #headers: PageEntry['headers'];
  readonly #status: number;
  readonly #tag: string;
  /** An entry's other encodings may be made after it was first sent. */
  readonly #gzipBytes: Bytes | undefined;
  readonly #brotliBytes: Bytes | undefined;
  readonly #freshUntilMs: number;
  #preferred: readonly Encoding[] | undefined = undefined;
  #encoding: Encoding | undefined = 'identity';
  bytes: Bytes;

  constructor(
    { target, host, transport, key, keyNow, cookies, tier, entry, use, route }: Learned,
    nowMs: Milliseconds,
  ) {
    this.keyNow = keyNow;
    this.cookies = cookies;
    this.foundMs = nowMs;
    this.route = route;
    this.use = use ?? { full: 0, notModified: 0, headFull: 0, headNotModified: 0, bytes: 0 };
    this.host = host;
    this.transport = transport ?? NO_HEADERS;
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
    if (keyNow !== undefined) this.bytes += FIXED_BYTES_OF_INPUTS + target.length;
  }

  /**
   * Undefined: it is yet to be made. Lists of what is preferred are shared, one for each value of the header; nearly always it
   * is the one of the hit before.
   */
  encodingFor(preferred: readonly Encoding[], entry: PageEntry): Encoding | undefined {
    if (preferred !== this.#preferred) {
      this.#preferred = preferred;
      const [best = 'identity'] = preferred;
      this.#encoding = lacks(entry, best) ? undefined : pickEncoding(entry, preferred);
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

/** No target, host or value of a variant holds a line's end. */
function nameOf(first: string, second: string): string {
  return `${first}\n${second}`;
}

export class HitPath {
  readonly #cache: HitCache;
  readonly #clock: Clock;
  readonly #encodings: EncodingChoice;
  readonly #trustProxy: Pick<TrustProxy, 'transport' | 'clientAddress'>;
  readonly #access: AccessLog | undefined;
  readonly #tail: RequestTail;
  /** The value of `#answers` at which the next line is due. */
  #nextLine = -1;
  readonly #table: HitTable<KnownTarget | Fork>;
  readonly #byHost: boolean;
  readonly #seesCookies: boolean;
  readonly #request: HitRequest;
  readonly #captured = (name: string) => this.#request.captured(name);
  #sender: Sender = { date: new HttpDate(), keepAliveSeconds: 0 };
  #on = true;
  #answers = 0;
  #notModified = 0;
  #bytes: Bytes = 0;

  constructor(options: HitOptions) {
    const { cache, clock, encodings, maxBytes, trustProxy = new TrustProxy(), access, tail } = options;
    this.#byHost = options.byHost ?? false;
    this.#request = new HitRequest(options.captures);
    this.#seesCookies = options.captures?.includes('cookie') ?? false;
    this.#access = access;
    this.#tail = tail ?? new RequestTail(clock);
    this.#nextLine = access?.gap() ?? -1;
    this.#cache = cache;
    this.#trustProxy = trustProxy;
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
    const { entry, tier, vary, cookies } = answered;
    // It could not see who brings one.
    if (cookies !== undefined && !this.#seesCookies) return;
    if (!this.#on || vary.length > 0 || (tier !== 'l1' && tier !== 'static')) return;
    const name = this.#learnedName(answered);
    const known = this.#table.get(name);
    const isSame =
      known?.fork === undefined &&
      known?.host === answered.host &&
      known.key === answered.key &&
      known.transport === (answered.transport ?? NO_HEADERS) &&
      known.gives(entry);
    const nowMs = this.#clock.monotonic();
    if (isSame) known.foundMs = nowMs;
    else this.#table.set(name, new KnownTarget(answered, nowMs));
  }

  /** By which the answer is found again; where there are several for the target, that is learned, too. */
  #learnedName({ target, host, variants }: Learned): string {
    const name = this.#byHost ? nameOf(host, target) : target;
    if (variants === undefined) return name;
    const { of, chosen } = variants;
    if (this.#table.get(name)?.fork !== of) this.#table.set(name, new Fork(of, name));
    return nameOf(name, of.textOfChosen(chosen));
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

  #take(arrived: IncomingMessage, connection: HitConnection): boolean {
    const { method, url, rawHeaders } = arrived;
    const head = method === 'HEAD';
    if (!this.#on || (method !== 'GET' && !head) || url === undefined || requestStarts.hasSubscribers)
      return false;
    const request = this.#request;
    // Without hosts as inputs the target is looked up before a header is read: most of what is not known ends here.
    if (this.#byHost && !request.read(rawHeaders)) return false;
    let name = this.#byHost ? nameOf(request.host, url) : url;
    let known = this.#table.get(name);
    if (known === undefined) return false;
    if (!this.#byHost && !request.read(rawHeaders)) return false;
    if (known.fork !== undefined) {
      name = nameOf(name, known.fork.textOf(this.#captured));
      known = this.#table.get(name);
      if (known === undefined || known.fork !== undefined) return false;
    }
    if (request.host !== known.host) return false;
    if (known.cookies !== undefined && this.#brings(known.cookies)) return false;
    if (known.transport !== this.#trustProxy.transport(arrived.socket, request.forwardedProto)) return false;
    const entry = this.#leadsOn(known) ? this.#cache.peek(known.key) : undefined;
    if (entry === undefined || !known.gives(entry)) {
      this.#table.delete(name);
      return false;
    }
    const encoding = known.encodingFor(this.#encodings.preferred(request.acceptEncoding), entry);
    if (encoding === undefined) return false;
    const { ifNoneMatch } = request;
    const cached =
      ifNoneMatch !== undefined && entry.status === 200 && matchesTag(ifNoneMatch, known.tags[encoding]);
    const nowMs = this.#clock.now();
    const answer = this.#answerOf(known, entry, encoding, cached, nowMs);
    const bytes = head ? answer.head(entry, nowMs) : answer.bytes(entry, nowMs);
    const rest = answer.bodyApart && !head ? bodyOf(entry, encoding) : undefined;
    if (!connection.write(bytes, rest)) answer.pin();
    const sent = bytes.length + (rest === undefined ? 0 : rest.length);
    this.#count(known.use, head, cached, sent);
    if (this.#answers === this.#nextLine) this.#log(arrived, known, cached ? 304 : entry.status, sent);
    if (this.#tail.isOpen) this.#tail.hit(method, url, cached ? 304 : entry.status, known.tier);
    return true;
  }

  #brings(cookies: readonly string[]): boolean {
    const sent = this.#request.captured('cookie');
    return sent !== undefined && bringsCookie(sent, cookies);
  }

  #leadsOn(known: KnownTarget): boolean {
    if (known.keyNow === undefined) return true;
    const nowMs = this.#clock.monotonic();
    if (nowMs - known.foundMs < BELIEVED_MS) return true;
    known.foundMs = nowMs;
    return known.keyNow() === known.key;
  }

  #log(arrived: IncomingMessage, known: KnownTarget, status: number, sent: Bytes): void {
    if (this.#access === undefined) return;
    const { method = '', url = '' } = arrived;
    this.#nextLine = this.#answers + this.#access.gap();
    this.#access.write({
      'http.request.method': method,
      'url.path': pathForLog(url),
      'http.route': known.route,
      'http.response.status_code': status,
      'http.response.size': sent,
      'client.address': this.#trustProxy.clientAddress(arrived),
      cache: `hit ${known.tier}`,
    });
  }

  #count(use: FastPathUse, head: boolean, cached: boolean, bytes: Bytes): void {
    this.#answers++;
    this.#bytes += bytes;
    use.bytes += bytes;
    if (cached) {
      this.#notModified++;
      if (head) use.headNotModified++;
      else use.notModified++;
    } else if (head) use.headFull++;
    else use.full++;
  }

  #answerOf(
    known: KnownTarget,
    entry: PageEntry,
    encoding: Encoding,
    cached: boolean,
    nowMs: number,
  ): HitResponse {
    const ready = cached ? known.notModified : known.full;
    const there = ready[encoding];
    if (there !== undefined) return there;
    const ifNoneMatch = cached ? known.tags[encoding] : undefined;
    const { transport } = known;
    const asked = { method: 'GET', encodings: [encoding], ifNoneMatch, transport } as const;
    const answer = new HitResponse(entry, known.tier, asked, this.#sender, nowMs);
    ready[encoding] = answer;
    known.bytes += answer.size;
    this.#table.grew(answer.size);
    return answer;
  }
}
