// What stands between the visitor and this worker: the names we answer for, the proxies we believe, TLS.
//
// A proxy is believed by the address its connection comes from (TRUSTED_PROXIES), and by nothing else. From anybody
// else X-Forwarded-*, Forwarded and X-Real-IP are read as if they were not there. Believed are X-Forwarded-For (who
// the visitor is, for logs and counts) and X-Forwarded-Proto (whether TLS is in front). The host is the Host header,
// whichever client sends it, and absolute addresses are made of PUBLIC_ORIGIN: X-Forwarded-Host and Forwarded decide nothing.
// None of them is ever part of a cache key, unless a page names one in `vary`.
import { type BlockList, isIP } from 'node:net';
import { parseNetworks, plainAddress } from '../../core/networks.ts';
import { AllowedHosts } from './allowed-hosts.ts';

export interface TrustProxyOptions {
  readonly allowedHosts?: string | undefined;
  readonly trustedProxies?: string | undefined;
  readonly publicOrigin?: string | undefined;
  /** Value of Strict-Transport-Security; `off` sends none. */
  readonly hsts?: string;
}

/** Who holds the other end of a connection. Node's sockets are such. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
}

/** A request as far as the front is concerned. Node's own is one. */
export interface Arrived {
  readonly socket: Peer;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Longer chains of proxies are no real ones. */
const MAX_HOPS = 16;
const MAX_HOPS_LENGTH = MAX_HOPS * 64;
/** Of `transport`, where nothing is to be added. */
export const NO_HEADERS: readonly string[] = Object.freeze([]);
/** Nothing that could be mistaken for anything else in a log or a header. */
const REQUEST_ID = /^[\w.-]{1,64}$/;
const TRACE_ID = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;
const OF_PROXIES = new Set(['forwarded', 'x-real-ip']);

export class TrustProxy {
  readonly #hosts: AllowedHosts;
  readonly #proxies: BlockList | undefined;
  readonly #secure: readonly string[];
  /** What every answer carries, where that does not depend on who asks. */
  readonly #always: readonly string[] | undefined;
  /** Whether visitors come over TLS, where PUBLIC_ORIGIN says so. */
  readonly #isAlwaysSecure: boolean | undefined;

  /** Throws where `trustedProxies` is no list of networks; the settings were checked before. */
  constructor({ allowedHosts, trustedProxies, publicOrigin, hsts = 'off' }: TrustProxyOptions = {}) {
    this.#hosts = new AllowedHosts(allowedHosts, publicOrigin);
    this.#proxies = trustedProxies === undefined ? undefined : parseNetworks(trustedProxies);
    this.#secure = hsts === 'off' ? NO_HEADERS : Object.freeze(['strict-transport-security', hsts]);
    this.#isAlwaysSecure = publicOrigin?.startsWith('https:');
    if (this.#isAlwaysSecure === true) this.#always = this.#secure;
    else if (publicOrigin !== undefined || this.#proxies === undefined) this.#always = NO_HEADERS;
  }

  answersFor(host: string | undefined): boolean {
    return this.#hosts.allows(host);
  }

  /**
   * Headers beside the page's own (flat: name, value): Strict-Transport-Security where TLS is in front. One of two
   * lists, the same each time, so that two may be compared by identity.
   */
  transport(peer: Peer, forwardedProto: string | undefined): readonly string[] {
    if (this.#always !== undefined) return this.#always;
    if (forwardedProto === undefined || !this.#trusts(peer.remoteAddress)) return NO_HEADERS;
    return last(forwardedProto).toLowerCase() === 'https' ? this.#secure : NO_HEADERS;
  }

  /** Whether the visitor came over TLS: PUBLIC_ORIGIN is https, or, without it, a trusted proxy says so. */
  isSecure({ socket, headers }: Arrived): boolean {
    if (this.#isAlwaysSecure !== undefined) return this.#isAlwaysSecure;
    const proto = joined(headers['x-forwarded-proto']);
    return proto !== undefined && this.#trusts(socket.remoteAddress) && last(proto).toLowerCase() === 'https';
  }

  /** The visitor's address: the nearest on the way here that is not one of our proxies. */
  clientAddress({ socket, headers }: Arrived): string {
    let address = plainAddress(socket.remoteAddress ?? '');
    if (!this.#trusts(address)) return address;
    const hops =
      joined(headers['x-forwarded-for'])?.slice(-MAX_HOPS_LENGTH).split(',').slice(-MAX_HOPS) ?? [];
    while (this.#trusts(address)) {
      const hop = plainAddress(withoutPort(hops.pop()?.trim() ?? ''));
      if (isIP(hop) === 0) break;
      address = hop;
    }
    return address;
  }

  /** The name that a trusted proxy has given this request, or the trace that it says it belongs to. */
  requestId({ socket, headers }: Arrived): string | undefined {
    const { 'x-request-id': id, traceparent } = headers;
    if ((id === undefined && traceparent === undefined) || !this.#trusts(socket.remoteAddress))
      return undefined;
    if (typeof id === 'string' && REQUEST_ID.test(id)) return id;
    return typeof traceparent === 'string' ? TRACE_ID.exec(traceparent)?.[1] : undefined;
  }

  /** A request header as a page may see it. */
  header({ socket, headers }: Arrived, name: string): string | undefined {
    const value = joined(headers[name]);
    if (value === undefined || !(name.startsWith('x-forwarded-') || OF_PROXIES.has(name))) return value;
    if (!this.#trusts(socket.remoteAddress)) return undefined;
    // Many proxies pass on what the visitor sent.
    return name === 'x-forwarded-host' && !this.answersFor(value) ? undefined : value;
  }

  #trusts(address: string | undefined): boolean {
    if (this.#proxies === undefined || address === undefined) return false;
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#proxies.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }
}

function joined(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}

function last(list: string): string {
  return list.slice(list.lastIndexOf(',') + 1).trim();
}

/** `1.2.3.4:5678` and `[fd00::1]:5678`, as some proxies write it. */
function withoutPort(hop: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
}
