import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import { RedisUnavailableError } from '../errors.ts';
import { Breaker } from '../shared/breaker.ts';
import type { RedisClient } from './redis-connect.ts';

export interface RedisCommandsOptions {
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 to 1. */
  readonly random: () => number;
  /** The client's own command timeout. */
  readonly timeoutMs?: Milliseconds;
}

/** The one way to a Redis for all who command it: what one of them finds out about its health spares the others. */
export class RedisCommands {
  readonly #client: RedisClient;
  readonly #clock: Clock;
  readonly #timeoutMs: Milliseconds;
  readonly #breaker: Breaker;
  #errors = 0;
  #refused = 0;
  #fullReplies = 0;
  #sentAgain = 0;

  constructor({ client, clock, log, random, timeoutMs = 100 }: RedisCommandsOptions) {
    this.#client = client;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#breaker = new Breaker({
      clock,
      random,
      probe: () => client.ping(),
      onChange: (state) => {
        if (state === 'open') log.warn({ tier: 'l2' }, 'Redis does not answer: the cache goes on without it');
        if (state === 'closed') log.info({ tier: 'l2' }, 'Redis answers again');
      },
    });
  }

  get usable(): boolean {
    return this.#breaker.state === 'closed';
  }

  /**
   * Errors: `E_REDIS_UNAVAILABLE` at once while the breaker is open; otherwise whatever the command came to. May send
   * `command` twice, which must therefore do no more than once would.
   */
  async run<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    if (!this.usable) {
      this.#refused++;
      throw new RedisUnavailableError();
    }
    try {
      const result = await this.#patiently(command);
      this.#breaker.succeeded();
      return result;
    } catch (error) {
      this.#errors++;
      if (isReply(error)) {
        // It answered, so it lives: full, read-only, or denying. Only this command failed.
        if (error.message.includes('OOM')) this.#fullReplies++;
      } else this.#breaker.failed();
      throw error;
    }
  }

  /**
   * Takes back what an earlier command did, or may have done unheard. Sent whatever the breaker says: a server that was
   * stopped carries out what it was sent when it goes on, in order, so this comes after what it takes back. Errors:
   * whatever the command came to.
   */
  async undo(command: (client: RedisClient) => Promise<unknown>): Promise<void> {
    await command(this.#client);
  }

  /**
   * A timeout that fires late tells of this process: it was busy (a flood of requests, one long render), and the reply
   * lies unread in the socket. Blaming Redis would open the breaker just when many want the same thing.
   */
  async #patiently<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    const sentAtMs = this.#clock.monotonic();
    try {
      return await command(this.#client);
    } catch (error) {
      const tookMs = this.#clock.monotonic() - sentAtMs;
      if (isReply(error) || tookMs < this.#timeoutMs * 1.25) throw error;
      this.#sentAgain++;
      return await command(this.#client);
    }
  }

  stats() {
    return {
      sentAgain: this.#sentAgain,
      breaker: this.#breaker.state,
      breakerOpened: this.#breaker.opened,
      redisErrors: this.#errors,
      redisRefused: this.#refused,
      redisFull: this.#fullReplies,
    };
  }

  /** Stops probing and lets go of the connection. */
  async close(): Promise<void> {
    this.#breaker.close();
    this.#client.disconnect();
  }
}

/** An answer of Redis that says no, as opposed to no answer. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
