// Who asked for what, and what came of it: counted by route template, never by address.
//
// A request that the ordinary path answers is followed from its arrival until its last byte is with the operating
// system, or the visitor has gone. The fast path has no time for that: it is given an object to count in when it learns a
// target, and adds integers to it. Its answers are written within the same turn of the loop in which they were read.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Outcome, TierName } from '../../cache/contract.ts';
import type { PageEntry } from '../../cache/entry.ts';
import type { Clock } from '../../core/clock.ts';
import { Histogram, type HistogramStats } from '../../core/histogram.ts';
import type { Bytes } from '../../core/units.ts';
import type { PageResponse } from '../../page/request/page-request.ts';
import { type Exchange, exchangeOf } from './exchange.ts';
import type { RequestTail } from './request-tail.ts';
import { wasBegun } from './was-begun.ts';

/** What the fast path counts: one object for all targets of a route that are answered alike. */
export interface FastPathUse {
  full: number;
  notModified: number;
  headFull: number;
  headNotModified: number;
  /** Heads included. */
  bytes: Bytes;
}

/** Of a page that was sent. */
interface Sent extends Pick<PageResponse, 'route' | 'personal'> {
  readonly outcome: Pick<Outcome<PageEntry>, 'tier' | 'result' | 'collapsed'> | undefined;
}

/** Refused before it had a route. */
const NO_ROUTE = '_none';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);

interface Answered {
  readonly route: string;
  readonly method: string;
  readonly status: string;
  readonly durations: Histogram;
}

interface CacheUse {
  readonly route: string;
  readonly tier: string;
  readonly result: string;
  requests: number;
  collapsed: number;
}

interface FastPath {
  readonly route: string;
  readonly status: string;
  readonly tier: TierName;
  readonly use: FastPathUse;
}

export class HttpUsage {
  readonly #clock: Clock;
  readonly #answered = new Map<string, Answered>();
  readonly #cache = new Map<string, CacheUse>();
  readonly #fastPaths = new Map<string, FastPath>();
  readonly #sentBytes = new Map<string, Bytes>();

  readonly #tail: RequestTail | undefined;

  constructor(clock: Clock, tail?: RequestTail) {
    this.#clock = clock;
    this.#tail = tail;
  }

  /** Where the fast path counts the hits of a target. */
  fastPath(route: string, status: number, tier: TierName): FastPathUse {
    const key = `${tier} ${status} ${route}`;
    const known = this.#fastPaths.get(key);
    if (known !== undefined) return known.use;
    const use: FastPathUse = { full: 0, notModified: 0, headFull: 0, headNotModified: 0, bytes: 0 };
    this.#fastPaths.set(key, { route, status: String(status), tier, use });
    return use;
  }

  /** The ordinary path begins with a request. */
  arrived({ method = '', url }: IncomingMessage, response: ServerResponse): void {
    const exchange = exchangeOf(response);
    if (exchange === undefined) return;
    exchange.startedMs = this.#clock.monotonic();
    response.on('close', () => {
      // Gone before there was an answer: there is no status to count it under.
      if (!wasBegun(response)) return;
      const known = METHODS.has(method) ? method : '_OTHER';
      const durationMs = this.#clock.monotonic() - exchange.startedMs;
      const { route = NO_ROUTE, statusCode } = exchange;
      this.#answer(route, known, String(statusCode)).durations.record(durationMs);
      if (this.#tail?.isOpen === true)
        this.#tail.answered(method, url, statusCode, cacheText(exchange), durationMs);
    });
  }

  /** A page is sent. `bodyBytes`: of a streamed one before compression. */
  page({ route, outcome, personal }: Sent, bodyBytes: Bytes): void {
    const { tier, result = personal === true ? 'personal' : 'error', collapsed = false } = outcome ?? {};
    const use = this.#cacheUse(route, tier ?? 'none', result);
    use.requests++;
    if (collapsed) use.collapsed++;
    this.#sentBytes.set(route, (this.#sentBytes.get(route) ?? 0) + bodyBytes);
  }

  stats() {
    const answered = [...this.#answered.values()].map((each) => ({
      ...each,
      durations: each.durations.stats(),
    }));
    const cache = [...this.#cache.values()].map((use) => ({ ...use }));
    const sent = new Map(this.#sentBytes);
    let fastPath = 0;
    for (const { route, status, tier, use } of this.#fastPaths.values()) {
      const { full, notModified, headFull, headNotModified, bytes } = use;
      const requests = full + notModified + headFull + headNotModified;
      if (requests === 0) continue;
      fastPath += requests;
      answered.push(atOnce(route, 'GET', status, full), atOnce(route, 'GET', '304', notModified));
      answered.push(atOnce(route, 'HEAD', status, headFull), atOnce(route, 'HEAD', '304', headNotModified));
      cache.push({ route, tier, result: 'hit', requests, collapsed: 0 });
      sent.set(route, (sent.get(route) ?? 0) + bytes);
    }
    return { answered: answered.filter(({ durations }) => durations.count > 0), cache, fastPath, sent };
  }

  #answer(route: string, method: string, status: string): Answered {
    const key = `${method} ${status} ${route}`;
    const known = this.#answered.get(key);
    if (known !== undefined) return known;
    const answered = { route, method, status, durations: new Histogram() };
    this.#answered.set(key, answered);
    return answered;
  }

  #cacheUse(route: string, tier: string, result: string): CacheUse {
    const key = `${tier} ${result} ${route}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const use = { route, tier, result, requests: 0, collapsed: 0 };
    this.#cache.set(key, use);
    return use;
  }
}

function atOnce(route: string, method: string, status: string, count: number) {
  const empty = new Histogram().stats();
  const durations: HistogramStats = { ...empty, count, buckets: [count, ...empty.buckets.slice(1)] };
  return { route, method, status, durations };
}

/** For people: `hit l2`, `miss, waited`, `file`, `endpoint`. */
function cacheText({ route, page }: Exchange): string {
  if (page === undefined) {
    if (route === undefined) return 'refused';
    return route.startsWith('/') ? 'endpoint' : route.replace('_', '');
  }
  const { result = page.personal === true ? 'personal' : 'error', tier, collapsed } = page.outcome ?? {};
  const from = tier === undefined ? result : `${result} ${tier}`;
  return collapsed === true ? `${from}, waited` : from;
}
