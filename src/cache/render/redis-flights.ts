// One render in the fleet: a lease in Redis with a token and an end.
//
//   enter    SET lease token NX PX     taken: ours; otherwise how long the other's still runs
//   while rendering the holder renews; a holder that dies stops renewing, and its lease ends by itself
//   done     deletes the lease if it is still ours, and PUBLISHes its name: waiting workers are woken, none polls
//
// A waiter subscribes first and asks for the lease again afterwards, so a wake-up between the two is not missed.
// Where Redis fails everybody leads: a render too many is better than none.
import type { Clock, Timer } from '../../core/clock.ts';
import type { StopSignal } from '../../core/stop.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { CacheKey } from '../contract.ts';
import { RedisUnavailableError } from '../errors.ts';
import type { RedisCommands } from '../redis/redis-commands.ts';
import type { RedisClient } from '../redis/redis-connect.ts';
import type { FlightCoordinator, Turn, Wait } from './flights.ts';

export interface RedisFlightsOptions {
  readonly commands: RedisCommands;
  /** A connection of its own, for it only listens. */
  readonly messages: RedisClient;
  readonly clock: Clock;
  readonly prefix: string;
  /** As of the caches. */
  readonly owner?: (() => string | undefined) | undefined;
  /** Makes a unique token. */
  readonly newToken: () => string;
  /** How long a dead holder keeps the others waiting at most. */
  readonly leaseMs?: Milliseconds;
}

/** 1: taken, now or by the same token before (a command may be sent twice). Otherwise 0 or less: minus the milliseconds that the other's lease still runs. */
const TAKE = `
local taken = redis.pcall('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
if type(taken) == 'table' and taken.err then
  -- Full: what comes after a write, be it one that takes no memory, is let pass.
  redis.pcall('HDEL', KEYS[1], '')
  taken = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
end
if taken then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then left = 0 end
return -left`;

const RENEW = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`;

const GIVE_BACK = `
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('PUBLISH', KEYS[1], 'over')
end
return 1`;

/** A worker that cannot be woken after this renders for itself. */
const LISTEN_MS: Milliseconds = 500;

const LEADER_ALONE: Turn = { role: 'leader', done: async () => {} };

export class RedisFlights implements FlightCoordinator {
  readonly #options: RedisFlightsOptions & { readonly leaseMs: Milliseconds };
  /** Who is to be woken, by the name of the lease. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #onMessage = (name: string) => this.#wake(name);
  #led = 0;
  #waited = 0;
  #failed = 0;
  #woken = 0;
  #holderGone = 0;

  constructor(options: RedisFlightsOptions) {
    this.#options = { leaseMs: 2000, ...options };
    options.messages.on('message', this.#onMessage);
  }

  async enter(key: CacheKey, signal: StopSignal): Promise<Turn | Wait> {
    const { newToken, prefix, owner } = this.#options;
    const ofOwner = owner === undefined ? '' : owner();
    if (ofOwner === undefined) return LEADER_ALONE;
    const name = ofOwner === '' ? prefix + key : `${prefix}${ofOwner}:${key}`;
    const token = newToken();
    const first = await this.#take(name, token);
    if (first === undefined) return LEADER_ALONE;
    if (first > 0) return this.#lead(name, token);
    const waiter = this.#waiter(name, signal);
    if (!(await this.#listen(name))) {
      waiter.leave();
      return LEADER_ALONE;
    }
    // Between the first look and the subscription it may have ended: its message would have been missed.
    const second = await this.#take(name, token);
    if (second === undefined || second > 0) {
      waiter.leave();
      return second === undefined ? LEADER_ALONE : this.#lead(name, token);
    }
    this.#waited++;
    waiter.watch(-second);
    return { role: 'follower', over: waiter.over };
  }

  stats() {
    return {
      led: this.#led,
      waited: this.#waited,
      woken: this.#woken,
      holderGone: this.#holderGone,
      failed: this.#failed,
      waiting: this.#waiting.size,
    };
  }

  /** Wakes all who wait. The clients belong to their creator. */
  async close(): Promise<void> {
    this.#options.messages.off('message', this.#onMessage);
    for (const name of [...this.#waiting.keys()]) this.#wake(name);
  }

  /** Undefined: Redis gives no answer. */
  async #take(name: string, token: string): Promise<number | undefined> {
    try {
      const { commands, leaseMs } = this.#options;
      const answer = await commands.run((client) => client.eval(TAKE, 1, name, token, leaseMs));
      return Number(answer);
    } catch (error) {
      this.#failed++;
      // What was sent may be carried out all the same, also much later, and the others would wait in vain.
      if (!(error instanceof RedisUnavailableError)) void this.#giveBack(name, token);
      return undefined;
    }
  }

  /** If it is still ours. */
  async #giveBack(name: string, token: string): Promise<void> {
    await this.#options.commands
      .undo((client) => client.eval(GIVE_BACK, 1, name, token))
      .catch(() => {
        this.#failed++;
      });
  }

  async #listen(name: string): Promise<boolean> {
    const { messages, clock, leaseMs } = this.#options;
    // The listener's connection queues while it is gone; we do not wait for that.
    const asked = messages.subscribe(name).then(
      () => true,
      () => false,
    );
    const answered = await new Promise<boolean>((resolve) => {
      const timer = clock.after(Math.min(leaseMs, LISTEN_MS), () => resolve(false));
      void asked.then((done) => {
        timer.cancel();
        resolve(done);
      });
    });
    if (!answered) this.#failed++;
    return answered;
  }

  #lead(name: string, token: string): Turn {
    const { commands, clock, leaseMs } = this.#options;
    this.#led++;
    let timer: Timer | undefined;
    const renewLater = () => {
      timer = clock.after(leaseMs / 3, () => {
        commands.run((client) => client.eval(RENEW, 1, name, token, leaseMs)).catch(() => {});
        renewLater();
      });
    };
    renewLater();
    return {
      role: 'leader',
      done: async () => {
        timer?.cancel();
        await this.#giveBack(name, token);
      },
    };
  }

  #waiter(name: string, signal: StopSignal) {
    let timer: Timer | undefined;
    let resolveOver = () => {};
    const over = new Promise<boolean>((resolve) => {
      resolveOver = () => resolve(true);
    });
    const leave = () => {
      timer?.cancel();
      signal.removeEventListener('abort', leave);
      resolveOver();
      const others = this.#waiting.get(name);
      others?.delete(leave);
      if (others?.size !== 0) return;
      this.#waiting.delete(name);
      this.#options.messages.unsubscribe(name).catch(() => {});
    };
    const waiters = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiters.add(leave));
    signal.addEventListener('abort', leave, { once: true });
    // When the lease should have ended its holder has renewed it, or is dead and will not wake us.
    const watch = (leftMs: Milliseconds) => {
      timer = this.#options.clock.after(leftMs + 5, () => {
        const asked = this.#options.commands.run((client) => client.pttl(name)).catch(() => 0);
        void asked.then((stillLeftMs) => {
          if (!waiters.has(leave)) return;
          if (stillLeftMs > 0) return watch(stillLeftMs);
          this.#holderGone++;
          leave();
        });
      });
    };
    return { over, leave, watch };
  }

  #wake(name: string): void {
    for (const leave of [...(this.#waiting.get(name) ?? [])]) {
      this.#woken++;
      leave();
    }
  }
}
