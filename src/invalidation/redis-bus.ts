// The purge bus of a fleet: fast by pub/sub, right by what Redis keeps. Publishing is one script: take the next
// number, mark the clock that Redis keeps, append to a bounded stream, tell the channel. Listening is a follower
// whose source is that clock and that stream.
import type { Cluster, Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { DependencyKey, Milliseconds, Seq } from '../core/units.ts';
import type { BusListener, Published, Purge, PurgeBus } from './bus.ts';
import { LAST_SEQ } from './clock.ts';
import type { ClockState, PurgeKind } from './clock-state.ts';
import { BusClosedError, BusUnavailableError, KeyTooLongError } from './errors.ts';
import { type FollowerFigures, PurgeFollower, type PurgeSource, type RiverState } from './follower.ts';
import type { Lease } from './lease.ts';
import { inParts, MAX_KEY_LENGTH, parseMessage, parseStreamEntry } from './purge-message.ts';
import { RecentPurges } from './recent-purges.ts';
import { BEGIN_EPOCH, KEY_NAMES, PUBLISH, READ_CLOCK, READ_STATE, SET_FRESH } from './redis-bus-scripts.ts';
import { RedisScript } from './redis-script.ts';
import { DEFAULT_SLOTS, slotOf } from './slots.ts';

/** Purges whose keys are longer than this as JSON are kept in the stream without them. */
const MAX_STREAM_JSON = 8_192;
const STREAM_LENGTH = 10_000;

export interface RedisBusOptions {
  /** Fails fast. */
  readonly commands: Redis | Cluster;
  /** Never gives up. Used for nothing but the channel. */
  readonly subscriber: Redis | Cluster;
  /** Names the fleet: buses with the same prefix are one bus. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly logger: Logger;
  /** A name that was never used before: `[\w-]{1,64}`. */
  readonly newEpoch: () => string;
  readonly readEveryMs: Milliseconds;
  readonly needsFresh: boolean;
  /** On a Redis Cluster: the channel then lives on the node that has the stream. */
  readonly sharded?: boolean;
  readonly slots?: number;
}

export type RedisBusFigures = FollowerFigures & {
  readonly published: number;
  readonly messagesRefused: number;
};

type ScriptName = 'readState' | 'readClock' | 'publish' | 'setFresh' | 'beginEpoch';

export class RedisBus implements PurgeBus, PurgeSource {
  readonly #options: RedisBusOptions;
  readonly #slots: number;
  readonly #channel: string;
  readonly #streamKey: string;
  readonly #scripts: Record<ScriptName, RedisScript>;
  readonly #recent: RecentPurges;
  readonly #follower: PurgeFollower;
  #published = 0;
  #messagesRefused = 0;
  #closed = false;

  constructor(options: RedisBusOptions) {
    this.#options = options;
    this.#slots = options.slots ?? DEFAULT_SLOTS;
    const keyOf = (name: string) => `{${options.prefix}bus}:${name}`;
    this.#streamKey = keyOf('stream');
    this.#channel = keyOf('purges');
    const script = (source: string) => new RedisScript(options.commands, source, KEY_NAMES.map(keyOf));
    this.#scripts = {
      readState: script(READ_STATE),
      readClock: script(READ_CLOCK),
      publish: script(PUBLISH),
      setFresh: script(SET_FRESH),
      beginEpoch: script(BEGIN_EPOCH),
    };
    this.#recent = new RecentPurges(options.clock);
    this.#follower = new PurgeFollower({ ...options, source: this });
  }

  /** Begins to listen. Never rejects: while Redis cannot be reached the lease is simply not held. */
  async start(): Promise<void> {
    const { subscriber, sharded, logger } = this.#options;
    subscriber.on(sharded ? 'smessage' : 'message', (_channel: string, text: string) => this.#heard(text));
    // Also after every reconnection: what was said meanwhile is missing.
    subscriber.on('ready', () => void this.#follower.read());
    const subscribed = sharded ? subscriber.ssubscribe(this.#channel) : subscriber.subscribe(this.#channel);
    // The client subscribes again by itself; until it does, readings carry the purges.
    subscribed.catch((error: unknown) => logger.warn({ err: error }, 'purge bus: not subscribed yet'));
    await this.#follower.start();
  }

  async publish(keys: readonly DependencyKey[], kind: PurgeKind): Promise<Published> {
    if (this.#closed) throw new BusClosedError();
    const tooLong = keys.find((key) => key.length > MAX_KEY_LENGTH);
    if (tooLong !== undefined) throw new KeyTooLongError(tooLong, MAX_KEY_LENGTH);
    let published: Published | undefined;
    for (const part of inParts(keys)) published = await this.#publishPart(part, kind);
    return published ?? (await this.readState());
  }

  /** For the feed: everything committed until the moment of the call has been published. Holds for `lifeMs`. */
  async setFresh(lifeMs: Milliseconds): Promise<void> {
    await this.#noticing(this.#run('setFresh', [String(Math.max(1, Math.round(lifeMs)))]));
  }

  /** Everything rendered until now becomes suspect, everywhere: purges are known to have been lost. */
  async beginEpoch(): Promise<Published> {
    const state = stateOf(await this.#run('beginEpoch', []));
    void this.#follower.read();
    return state;
  }

  subscribe(listener: BusListener): () => void {
    return this.#follower.subscribe(listener);
  }

  figures(): RedisBusFigures {
    return {
      ...this.#follower.figures(),
      published: this.#published,
      messagesRefused: this.#messagesRefused,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.subscriber.disconnect();
    await this.#follower.close();
    this.#options.commands.disconnect();
  }

  async readState(): Promise<RiverState & { freshMs: Milliseconds }> {
    const answer = await this.#run('readState', []);
    return { ...stateOf(answer), freshMs: Number(answer[2]) };
  }

  async readSince({ epoch, seq }: RiverState, to: Seq): Promise<readonly Purge[] | undefined> {
    const entries = await this.#options.commands.xrange(this.#streamKey, `${seq + 1}-0`, `${to}-0`);
    const purges = entries.map(([id, fields]) => parseStreamEntry(epoch, id, fields));
    return purges.every((purge) => purge !== undefined) ? purges : undefined;
  }

  async readClock(): Promise<ClockState> {
    const answer = await this.#run('readClock', []);
    return { ...stateOf(answer), purged: toSlots(answer[2]), expired: toSlots(answer[3]) };
  }

  async #publishPart(keys: readonly DependencyKey[], kind: PurgeKind): Promise<Published> {
    const packed = Buffer.allocUnsafe(keys.length * 4);
    for (const [index, key] of keys.entries()) packed.writeUInt32LE(slotOf(key, this.#slots), index * 4);
    const json = JSON.stringify(keys);
    const inStream = json.length <= MAX_STREAM_JSON ? json : '';
    const how = this.#options.sharded ? 'SPUBLISH' : 'PUBLISH';
    const published = await this.#noticing(
      this.#run('publish', [kind, packed, json, inStream, String(STREAM_LENGTH), this.#channel, how]),
    );
    this.#published++;
    this.#recent.add(published.epoch, keys, kind);
    return published;
  }

  /**
   * After a takeover the new epoch may have begun before our last purges, which only the old server knew: what was
   * rendered in between carries the new epoch and would stay. So they are published once more.
   */
  async #noticing(answer: Promise<readonly unknown[]>): Promise<Published> {
    const state = stateOf(await answer);
    const lost = this.#recent.takeOfOtherEpochs(state.epoch);
    if (lost === 'too many') return this.beginEpoch();
    for (const { keys, kind } of lost) await this.#publishPart(keys, kind);
    return state;
  }

  #heard(text: string): void {
    const purge = parseMessage(text);
    if (purge !== undefined) {
      this.#follower.heard(purge);
      return;
    }
    this.#messagesRefused++;
    this.#options.logger.warn({ length: text.length }, 'purge bus: a message that is not ours was refused');
  }

  async #run(script: ScriptName, args: readonly (string | Buffer)[]): Promise<readonly unknown[]> {
    const ensure = [this.#options.newEpoch(), String(this.#slots), String(LAST_SEQ)];
    try {
      return await this.#scripts[script].run([...ensure, ...args]);
    } catch (error) {
      throw new BusUnavailableError(error);
    }
  }
}

function stateOf(answer: readonly unknown[]): RiverState {
  return { epoch: String(answer[0]), seq: Number(answer[1]) };
}

function toSlots(value: unknown): Uint32Array {
  if (!Buffer.isBuffer(value)) throw new TypeError('The purge clock in Redis is not a string');
  const slots = new Uint32Array(value.length / 4);
  for (let index = 0; index < slots.length; index++) slots[index] = value.readUInt32LE(index * 4);
  return slots;
}
