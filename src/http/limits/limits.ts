// What one connection and one request may ask of a worker. Chosen against slow and large requests; a proxy in
// front should be stricter still.
import type { Bytes, Milliseconds } from '../../core/units.ts';

export interface Limits {
  /** A request's head must be here within this. */
  readonly headersTimeoutMs: Milliseconds;
  /** The whole request, body included. */
  readonly requestTimeoutMs: Milliseconds;
  /** How often the two above are looked at; they are enforced at most this late. */
  readonly connectionsCheckingMs: Milliseconds;
  /** How long an idle connection is kept. Longer than that of a proxy in front, or it meets closed connections. */
  readonly keepAliveTimeoutMs: Milliseconds;
  /** In each such span a client with bytes waiting for it must take some: slow-readers.ts. */
  readonly sendTimeoutMs: Milliseconds;
  /** At once. Beyond, one that waits for its client is closed for a new one, or the new one where all wait for us. */
  readonly maxConnections: number;
  /** All headers together; more is 431. */
  readonly maxHeaderBytes: Bytes;
  /** More header lines are 431. Below 1000, from where on Node drops lines unseen. */
  readonly maxHeaderCount: number;
  /** Bodies are read and dropped, so that the connection can go on; a larger one ends it. */
  readonly maxBodyBytes: Bytes;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 30_000,
  connectionsCheckingMs: 5_000,
  keepAliveTimeoutMs: 72_000,
  sendTimeoutMs: 30_000,
  maxConnections: 20_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaderCount: 100,
  maxBodyBytes: 64 * 1024,
});
