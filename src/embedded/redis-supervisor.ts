// The private Redis of a host, for as long as the host runs: started once, and again whenever it ends by itself. Its
// socket stays where it is, so its users only have to connect again.
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import { PrivateRedis, type PrivateRedisOptions } from './redis.ts';

/** Long enough not to spin on a full disk, short enough for caches to hardly notice. */
const AGAIN_AFTER_MS: Milliseconds = 1000;

export interface RedisSupervisorOptions extends PrivateRedisOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

export class RedisSupervisor {
  readonly url: string;
  #redis: PrivateRedis;
  #again: Timer | undefined;
  #starting: Promise<void> = Promise.resolve();
  #isClosed = false;
  readonly #options: RedisSupervisorOptions;

  private constructor(redis: PrivateRedis, options: RedisSupervisorOptions) {
    this.url = redis.url;
    this.#redis = redis;
    this.#options = options;
    this.#watch();
  }

  /** Resolves when Redis answers. Errors: `E_REDIS_START`. */
  static async start(options: RedisSupervisorOptions): Promise<RedisSupervisor> {
    return new RedisSupervisor(await PrivateRedis.start(options), options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#again?.cancel();
    await this.#starting;
    await this.#redis.close();
  }

  #watch(): void {
    void this.#redis.exited.then(() => {
      if (this.#isClosed) return;
      this.#options.logger.error({ againAfterMs: AGAIN_AFTER_MS }, 'the private Redis stopped by itself');
      this.#later();
    });
  }

  #later(): void {
    this.#again = this.#options.clock.after(AGAIN_AFTER_MS, () => {
      this.#starting = this.#startAgain();
    });
  }

  async #startAgain(): Promise<void> {
    try {
      this.#redis = await PrivateRedis.start(this.#options);
      this.#options.logger.info({}, 'the private Redis runs again');
      this.#watch();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the private Redis did not start again');
      if (!this.#isClosed) this.#later();
    }
  }
}
