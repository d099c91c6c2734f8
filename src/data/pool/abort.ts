import { createConnection } from 'node:net';
import type pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import { QueryAbortedError } from '../errors.ts';

/**
 * One listener on a signal, however many statements run under it, at once or one after the other: Node warns of a leak at
 * eleven, and to add and remove one for each statement costs more than the statement's own promises.
 */
export class AbortWatch {
  static readonly #ofSignals = new WeakMap<AbortSignal, AbortWatch>();
  readonly signal: AbortSignal;
  readonly #waiting = new Set<(reason: unknown) => void>();
  #isListening = false;

  private constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  static of(signal: AbortSignal): AbortWatch {
    const known = AbortWatch.#ofSignals.get(signal);
    if (known !== undefined) return known;
    const watch = new AbortWatch(signal);
    AbortWatch.#ofSignals.set(signal, watch);
    return watch;
  }

  /** Calls `call` when the signal aborts; the answer takes that back. */
  watch(call: (reason: unknown) => void): () => void {
    if (!this.#isListening) this.signal.addEventListener('abort', () => this.#abort(), { once: true });
    this.#isListening = true;
    this.#waiting.add(call);
    return () => void this.#waiting.delete(call);
  }

  #abort(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const call of waiting) call(this.signal.reason);
  }
}

const CANCEL_REQUEST = 80_877_102;

/**
 * Asks the server to stop what `client` is running: a CancelRequest on a connection of its own, which needs no
 * login and no free slot. Resolves to true once the server has taken it: it closes the connection after it has
 * signalled the backend, so no later statement on `client` can be hit by it.
 */
export function requestCancel(client: pg.PoolClient, timeoutMs: Milliseconds): Promise<boolean> {
  const pid: unknown = Reflect.get(client, 'processID');
  const secret: unknown = Reflect.get(client, 'secretKey');
  if (typeof pid !== 'number' || typeof secret !== 'number') return Promise.resolve(false);
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_REQUEST, 4);
  message.writeInt32BE(pid, 8);
  message.writeInt32BE(secret, 12);
  return new Promise((resolve) => {
    const socket = client.host.startsWith('/')
      ? createConnection(`${client.host}/.s.PGSQL.${client.port}`)
      : createConnection(client.port, client.host);
    let failed = false;
    const fail = () => {
      failed = true;
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, fail);
    socket.on('error', fail);
    socket.on('connect', () => socket.write(message));
    socket.on('close', () => resolve(!failed));
    socket.resume();
  });
}

/** Waits, and no longer than the render goes on. Errors: E_QUERY_ABORTED. */
export function pause(
  clock: Clock,
  forMs: Milliseconds,
  watch: AbortWatch | undefined,
  sql: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(forMs, () => {
      unwatch?.();
      resolve();
    });
    const unwatch = watch?.watch((why) => {
      timer.cancel();
      reject(new QueryAbortedError(sql, why));
    });
  });
}
