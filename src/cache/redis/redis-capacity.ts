// Whether Redis has room for cached pages. They share it with the purge bus and with whatever else lies there, and a
// Redis that evicts nothing (`noeviction`, its default) refuses everybody once it is full. So pages stop before it is.
//
//   open      pages are written
//   closed    it is nearly full and evicts nothing, or it has just refused a page for want of memory; looked at again
//             every `LOOK_EVERY_MS`, and open when it has come down to `OPEN_BELOW`
//
// It is looked at when a page is about to be written, in the background: no request waits for it.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { RedisCommands } from './redis-commands.ts';

export interface RedisCapacityOptions {
  readonly commands: RedisCommands;
  readonly clock: Clock;
  /** Of the one process of the host that tells people how their Redis is set. */
  readonly log?: Logger | undefined;
}

const LOOK_EVERY_MS: Milliseconds = 2_000;
const CLOSED_ABOVE = 0.8;
const OPEN_BELOW = 0.7;
const GUIDE = 'see docs/guides/redis.md';

interface Memory {
  readonly used: number;
  /** 0: no limit. */
  readonly max: number;
  readonly policy: string;
}

export class RedisCapacity {
  readonly #options: RedisCapacityOptions;
  #isOpen = true;
  #lookedAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #told: string | undefined;
  #refused = 0;

  constructor(options: RedisCapacityOptions) {
    this.#options = options;
  }

  /** False: the page is not to be written. */
  hasRoom(): boolean {
    const now = this.#options.clock.monotonic();
    if (now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now;
      // A Redis that cannot be asked is none that could be written to.
      void this.#look().catch(() => {});
    }
    if (!this.#isOpen) this.#refused++;
    return this.#isOpen;
  }

  /** It said so itself. */
  isFull(): void {
    this.#lookedAt = this.#options.clock.monotonic();
    this.#turn(false);
  }

  stats() {
    return { redisCapacity: this.#isOpen ? 'open' : 'closed', redisNoRoom: this.#refused };
  }

  async #look(): Promise<void> {
    const infos = await this.#options.commands.run((client) =>
      Promise.all(('nodes' in client ? client.nodes('master') : [client]).map((node) => node.info('memory'))),
    );
    const memories = infos.map(memoryOf);
    this.#tellPolicy(memories);
    const fullness = Math.max(0, ...memories.filter(evictsNothing).map(({ used, max }) => used / max));
    if (fullness > CLOSED_ABOVE) this.#turn(false);
    else if (fullness < OPEN_BELOW) this.#turn(true);
  }

  #turn(isOpen: boolean): void {
    if (isOpen === this.#isOpen) return;
    this.#isOpen = isOpen;
    const { log } = this.#options;
    if (isOpen) log?.info({ tier: 'l2' }, 'Redis has room for cached pages again');
    else log?.warn({ tier: 'l2' }, `Redis is nearly full: no more cached pages are written to it; ${GUIDE}`);
  }

  /** Once for each kind of trouble. */
  #tellPolicy(memories: readonly Memory[]): void {
    const trouble = memories.map(troubleOf).find((each) => each !== undefined);
    if (trouble === this.#told) return;
    this.#told = trouble;
    if (trouble !== undefined) this.#options.log?.warn({ tier: 'l2' }, `${trouble}; ${GUIDE}`);
  }
}

function memoryOf(info: string): Memory {
  const value = (name: string) => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1] ?? '';
  return {
    used: Number(value('used_memory')),
    max: Number(value('maxmemory')),
    policy: value('maxmemory_policy'),
  };
}

function evictsNothing({ max, policy }: Memory): boolean {
  return max > 0 && policy === 'noeviction';
}

function troubleOf({ max, policy }: Memory): string | undefined {
  if (max === 0)
    return 'Redis has no maxmemory: it grows until the machine is full. Set it, and maxmemory-policy volatile-lru';
  if (policy === 'noeviction')
    return 'Redis evicts nothing (maxmemory-policy noeviction): cached pages stop when it is nearly full. Set volatile-lru';
  if (policy.startsWith('allkeys'))
    return `Redis may evict the purge clock (maxmemory-policy ${policy}), which makes every cached page invalid. Set volatile-lru`;
  return undefined;
}
