// Warming of a render worker: what is made before it takes visitors, and what it leaves for the one after it.
//
//   start    the addresses that the application lists, then those that the last run remembered: each asked of the
//            cache as by a visitor. Workers of a host begin at different places of the list, and what one has
//            rendered the others take from Redis, the disk, or by waiting for it: one render a page in the host
//   life     once a minute, and when it drains, the first worker of the host writes down what was wanted last. It
//            hears its share of all requests, so its list is a fair sample; one writer, so lists do not fight
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { PageEntry } from '../cache/entry.ts';
import type { CacheStack } from '../cache/stack/stack.ts';
import { recall, remember } from '../cache/warm/remembered.ts';
import { type Warmed, warm } from '../cache/warm/warming.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Milliseconds } from '../core/units.ts';
import { parseTarget } from '../http/request/target.ts';
import type { PagePipeline } from '../page/request/pipeline.ts';

/** Pages made at once by one worker. Mostly they wait for the database. */
const CONCURRENCY = 4;
/** So many addresses are remembered. */
const MOST = 200;
const REMEMBER_EVERY_MS: Milliseconds = 60_000;

export interface WarmerOptions {
  readonly config: Pick<Config, 'dataDir' | 'warmTimeoutMs' | 'workers'>;
  /** Of this worker in its host: 0, 1, ... */
  readonly slot: number;
  /** By the application. */
  readonly listed: readonly string[];
  readonly pipeline: Pick<PagePipeline, 'warm' | 'addressesOf'>;
  readonly cache: Pick<CacheStack<PageEntry>, 'recentKeys'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Warmer {
  readonly #options: WarmerOptions;
  readonly #file: string;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: WarmerOptions) {
    this.#options = options;
    this.#file = join(options.config.dataDir, 'warm.json');
  }

  /** Resolves when all is warm or the time is over; never rejects. */
  async start(): Promise<Warmed> {
    const { config, slot, listed, clock, log } = this.#options;
    const targets = [...new Set([...listed, ...(await recall(this.#file)).slice(0, MOST)])];
    const first = Math.floor((targets.length * (slot % config.workers)) / config.workers);
    const warmed = await warm({
      clock,
      log,
      targets: config.warmTimeoutMs === 0 ? [] : [...targets.slice(first), ...targets.slice(0, first)],
      warm: (target, signal) => this.#make(target, signal),
      concurrency: CONCURRENCY,
      budgetMs: config.warmTimeoutMs,
    });
    if (slot === 0) this.#rememberLater();
    return warmed;
  }

  /** Writes down once more what was wanted. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    await this.#remember();
  }

  async #make(address: string, signal: AbortSignal): Promise<void> {
    const target = parseTarget(address, undefined);
    const made =
      target.kind === 'target' &&
      (await this.#options.pipeline.warm({ ...target, header: () => undefined, signal }));
    // Of the last run, perhaps: pages come and go with a deploy.
    if (!made) this.#options.log.debug({ address }, 'warming: no page has this address');
  }

  #rememberLater(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.after(REMEMBER_EVERY_MS, () => {
      void this.#remember().then(() => this.#rememberLater());
    });
  }

  async #remember(): Promise<void> {
    const { pipeline, cache, log } = this.#options;
    try {
      const addresses = await pipeline.addressesOf(cache.recentKeys(MOST));
      // A run without visitors has nothing to say against the one before it.
      if (addresses.length > 0) await remember(this.#file, addresses);
    } catch (error) {
      log.debug({ err: error }, 'what was wanted last could not be written down');
    }
  }
}
