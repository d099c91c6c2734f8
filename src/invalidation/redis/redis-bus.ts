// The purge bus of a fleet: fast by pub/sub, right by what Redis keeps. Publishing is one script: take the next
// number, mark the clock that Redis keeps, append to a bounded stream, tell the channel. Listening is a follower
// whose source is that clock and that stream.
import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Clock } from '../../core/clock.ts';
import type { CoherentError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { DependencyKey, EpochMs, Milliseconds, Seq, Stamp } from '../../core/units.ts';
import {
  type Acknowledgement,
  type AcknowledgementSource,
  type Acknowledgements,
  untilApplied,
} from '../bus/acknowledgements.ts';
import type { Applied, AppliedOptions, BusListener, Published, Purge, PurgeBus } from '../bus/bus.ts';
import type { BusOwner } from '../bus/bus-owner.ts';
import {
  type FollowerStats,
  PurgeFollower,
  type PurgeSource,
  type PurgeStreamReading,
  type StreamPosition,
} from '../bus/follower.ts';
import { inParts, MAX_KEY_LENGTH, parseMessage, parseStreamEntry, timeText } from '../bus/purge-message.ts';
import { isBarrierKey } from '../clock/barrier-keys.ts';
import { LAST_SEQ } from '../clock/clock.ts';
import { fromLittleEndian } from '../clock/clock-snapshot.ts';
import type { ClockState, PurgeKind } from '../clock/clock-state.ts';
import type { Lease } from '../clock/lease.ts';
import { DEFAULT_SLOTS, slotOf } from '../clock/slots.ts';
import {
  BusClosedError,
  BusUnavailableError,
  DatabaseUnknownError,
  KeyTooLongError,
  RivalFeedsError,
} from '../errors.ts';
import { RecentPurges } from './recent-purges.ts';
import {
  ASK_FOR_ACKNOWLEDGEMENTS,
  BEGIN_EPOCH,
  KEY_NAMES,
  LEAVE,
  PUBLISH,
  READ_ACKNOWLEDGEMENTS,
  READ_CLOCK,
  READ_STATE,
  SEAL_BYTES,
  SET_FRESH,
} from './redis-bus-scripts.ts';
import { RedisScript } from './redis-script.ts';

/** Purges whose keys are longer than this as JSON are kept in the stream without them. */
const MAX_STREAM_JSON = 8_192;
/** A hash in front of each message, and a space. */
const SIGNATURE_LENGTH = 41;
/** What was refused is told once in this time, with how often. */
const TELL_EVERY_MS: Milliseconds = 60_000;

const NO_RUN_ID =
  'purge bus: this Redis does not tell its run_id (INFO server): a restart that loses purges is noticed by their numbers only; see docs/guides/redis.md';

export interface RedisBusOptions {
  /** Fails fast. */
  readonly commands: Redis | Cluster;
  /** Never gives up. Used for nothing but the channel. */
  readonly subscriber: Redis | Cluster;
  /** Names the fleet: buses with the same prefix, and of the same database, are one bus. */
  readonly prefix: string;
  /** It has no names, and carries nothing, before `belongTo` has told whose purges it carries. */
  readonly isOwned?: boolean;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly logger: Logger;
  /** A name that was never used before, and that cannot be guessed: `[\w-]{1,64}`. */
  readonly newEpoch: () => string;
  readonly readEveryMs: Milliseconds;
  readonly needsFresh: boolean;
  /** Names this process on the list of acknowledgements: `host/slot/pid`, say, unlike any other of the fleet. Without: it serves no pages. */
  readonly member?: string;
  /** How long a worker without a lease serves what it has just made. */
  readonly degradedTtlMs?: Milliseconds;
  /** On a Redis Cluster: the channel then lives on the node that has the stream. */
  readonly sharded?: boolean;
  readonly slots?: number;
}

export type RedisBusStats = FollowerStats & {
  readonly published: number;
  readonly messagesRefused: number;
};

type ScriptName =
  | 'readState'
  | 'readClock'
  | 'publish'
  | 'setFresh'
  | 'beginEpoch'
  | 'readAcknowledgements'
  | 'leave';

/** The keys and the channel of one bus. */
interface Names {
  readonly channel: string;
  readonly streamKey: string;
  readonly scripts: Record<ScriptName, RedisScript>;
}

export class RedisBus implements PurgeBus, PurgeSource, AcknowledgementSource {
  readonly #options: RedisBusOptions;
  readonly #slots: number;
  readonly #follower: PurgeFollower;
  #owner: BusOwner | undefined;
  #names: Names | undefined;
  #recent: RecentPurges;
  #isStarted = false;
  /** As the last reading said. */
  #isElsewhere = false;
  #published = 0;
  #messagesRefused = 0;
  /** The highest number of the newest epoch that this process has seen in an answer, a message, or a stamp. */
  #known: StreamPosition = { epoch: '', seq: 0 };
  /** With which the messages of that epoch are signed. */
  #secret: { readonly epoch: string; readonly text: string } = { epoch: '', text: '' };
  readonly #toldAt = new Map<string, Milliseconds>();
  /**
   * How far the server's clock is ahead of our monotonic one, at the least: its time when it answered, less ours when the
   * answer was here.
   */
  #serverAheadMs: Milliseconds | undefined;
  #closed = false;

  constructor(options: RedisBusOptions) {
    this.#options = options;
    this.#slots = options.slots ?? DEFAULT_SLOTS;
    if (options.isOwned !== true) this.#names = this.#namesUnder(options.prefix);
    this.#recent = new RecentPurges(options.clock);
    this.#follower = new PurgeFollower({ ...options, source: this });
  }

  /** Begins to listen. Never rejects: while Redis cannot be reached the lease is simply not held. */
  async start(): Promise<void> {
    const { subscriber, sharded } = this.#options;
    subscriber.on(sharded ? 'smessage' : 'message', (channel: string, text: string) => {
      if (channel === this.#names?.channel) this.#heard(text);
    });
    // Also after every reconnection: what was said meanwhile is missing.
    subscriber.on('ready', () => void this.#follower.read());
    this.#isStarted = true;
    this.#subscribe();
    await this.#follower.start();
  }

  /**
   * Whose purges these are from now on; undefined while it is unknown. What was said before is about another database,
   * or another copy of it: nothing of it is trusted.
   */
  belongTo(owner: BusOwner | undefined): void {
    const before = this.#owner;
    if (this.#closed || owner?.server === before?.server) return;
    // Who does not know any more whom it reaches can still publish where it could.
    const isRenamed = owner !== undefined && this.#names?.channel !== this.#channelOf(owner);
    this.#owner = owner;
    if (isRenamed) this.#rename(owner);
    this.#follower.leave();
    if (this.#isStarted) void this.#follower.read();
  }

  async publish(keys: readonly DependencyKey[], kind: PurgeKind, committedMs?: EpochMs): Promise<Published> {
    if (this.#closed) throw new BusClosedError();
    const tooLong = keys.find((key) => key.length > MAX_KEY_LENGTH);
    if (tooLong !== undefined) throw new KeyTooLongError(tooLong, MAX_KEY_LENGTH);
    let published: Published | undefined;
    for (const part of inParts(keys)) published = await this.#publishPart(part, kind, committedMs);
    return published ?? this.#stateOf(await this.#run('readState', ['', '', '0']));
  }

  async applied(published: Published, options: AppliedOptions): Promise<Applied> {
    if (this.#closed) throw new BusClosedError();
    const { clock, lease, degradedTtlMs = 1000 } = this.#options;
    return untilApplied(this, published, options, { clock, termMs: lease.termMs, degradedTtlMs });
  }

  /** For the feed: everything committed until the moment of the call has been published. Holds for `lifeMs`. */
  async setFresh(lifeMs: Milliseconds): Promise<void> {
    const until = this.#options.clock.monotonic() + lifeMs;
    if (this.#serverAheadMs === undefined) await this.readState(undefined);
    const untilByServer = Math.floor(until + (this.#serverAheadMs ?? 0));
    const said = this.#run('setFresh', [String(untilByServer), this.#owner?.server ?? '']);
    const rivals = String((await said)[2] ?? '');
    if (rivals !== '') this.#tell(new RivalFeedsError(rivals.split(' ')), {}, 'error');
    await this.#noticing(said);
  }

  /** Everything rendered until now becomes suspect, everywhere: purges are known to have been lost. */
  async beginEpoch(): Promise<Published> {
    const state = this.#stateOf(await this.#run('beginEpoch', []));
    void this.#follower.read();
    return state;
  }

  /** An entry carries this stamp: so many purges there have been at least. */
  saw({ epoch, seq }: Stamp): void {
    this.#learn({ epoch, seq });
  }

  subscribe(listener: BusListener): () => void {
    return this.#follower.subscribe(listener);
  }

  stats(): RedisBusStats {
    return {
      ...this.#follower.stats(),
      published: this.#published,
      messagesRefused: this.#messagesRefused,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.subscriber.disconnect();
    await this.#follower.close();
    const { member, commands } = this.#options;
    if (member !== undefined) await this.#withdrawAcknowledgement(member);
    commands.disconnect();
  }

  async readState(position: StreamPosition | undefined): Promise<PurgeStreamReading> {
    if (position !== undefined) this.#learn(position);
    // A purge of this purge stream need not wait for a worker that serves from another database.
    const member = this.#isElsewhere ? '' : (this.#options.member ?? '');
    const owner = this.#owner;
    const answer = await this.#run('readState', [member, position?.epoch ?? '', String(position?.seq ?? 0)]);
    if (owner !== this.#owner) throw new DatabaseUnknownError();
    this.#serverAheadMs = Number(answer[3]) - this.#options.clock.monotonic();
    if (String(answer[4]) === '?') this.#tell(NO_RUN_ID);
    const speaksOf = String(answer[5]);
    const { isOwned, needsFresh } = this.#options;
    const isElsewhere =
      isOwned === true &&
      (owner === undefined || (needsFresh && speaksOf !== '' && speaksOf !== owner.server));
    if (isElsewhere && member !== '') void this.#withdrawAcknowledgement(member);
    this.#isElsewhere = isElsewhere;
    return { ...this.#stateOf(answer), freshMs: Number(answer[2]), isElsewhere };
  }

  async readSince({ epoch, seq }: StreamPosition, to: Seq): Promise<readonly Purge[] | undefined> {
    const entries = await this.#options.commands.xrange(this.#named().streamKey, `${seq + 1}-0`, `${to}-0`);
    const purges = entries.map(([id, fields]) => parseStreamEntry(epoch, id, fields));
    return purges.every((purge) => purge !== undefined) ? purges : undefined;
  }

  async readClock(): Promise<ClockState> {
    const answer = await this.#run('readClock', []);
    const state = this.#stateOf(answer);
    this.#secret = { epoch: state.epoch, text: String(answer[2]) };
    return { ...state, purged: toSlots(answer[3]), expired: toSlots(answer[4]) };
  }

  async readAcknowledgements(ask: boolean): Promise<Acknowledgements> {
    const how = this.#options.sharded ? 'SPUBLISH' : 'PUBLISH';
    const answer = await this.#run('readAcknowledgements', [ask ? this.#named().channel : '', how]);
    const members: Acknowledgement[] = [];
    for (let at = 3; at + 1 < answer.length; at += 2) {
      members.push(acknowledgementOf(String(answer[at]), String(answer[at + 1])));
    }
    return { ...this.#stateOf(answer), keptMs: Number(answer[2]), members };
  }

  /** What this process said under an older epoch may have been heard there only. */
  sayAgain(now: Published): Promise<Published> {
    return this.#noticing(Promise.resolve([now.epoch, now.seq]));
  }

  async #publishPart(
    keys: readonly DependencyKey[],
    kind: PurgeKind,
    committedMs: EpochMs | undefined,
  ): Promise<Published> {
    const lasting = keys.filter((key) => !isBarrierKey(key));
    const packed = Buffer.allocUnsafe(lasting.length * 4);
    for (const [index, key] of lasting.entries()) packed.writeUInt32LE(slotOf(key, this.#slots), index * 4);
    const json = JSON.stringify(keys);
    const inStream = json.length <= MAX_STREAM_JSON ? json : '';
    const how = this.#options.sharded ? 'SPUBLISH' : 'PUBLISH';
    const at = timeText(committedMs);
    const published = await this.#noticing(
      this.#run('publish', [kind, packed, json, inStream, this.#named().channel, how, at]),
    );
    this.#published++;
    this.#recent.add(published.epoch, keys, kind, committedMs);
    return published;
  }

  /**
   * After a takeover the new epoch may have begun before our last purges, which only the old server knew: what was
   * rendered in between carries the new epoch and would stay. So they are published once more.
   */
  async #noticing(answer: Promise<readonly unknown[]>): Promise<Published> {
    const state = this.#stateOf(await answer);
    const lost = this.#recent.takeOfOtherEpochs(state.epoch);
    if (lost === 'too many') return this.beginEpoch();
    let last = state;
    for (const { keys, kind, committedMs } of lost) last = await this.#publishPart(keys, kind, committedMs);
    return last;
  }

  /** No purge need wait for it any more. Where Redis cannot be told it finds out by the silence. */
  async #withdrawAcknowledgement(member: string): Promise<void> {
    await this.#run('leave', [member]).catch(() => {});
  }

  #rename(owner: BusOwner): void {
    const { subscriber, sharded } = this.#options;
    const before = this.#names;
    if (before !== undefined && this.#options.member !== undefined)
      void this.#withdrawAcknowledgement(this.#options.member);
    if (before !== undefined && this.#isStarted) {
      const left = sharded ? subscriber.sunsubscribe(before.channel) : subscriber.unsubscribe(before.channel);
      left.catch(() => {});
    }
    this.#names = this.#namesUnder(this.#prefixOf(owner));
    this.#known = { epoch: '', seq: 0 };
    this.#secret = { epoch: '', text: '' };
    this.#recent = new RecentPurges(this.#options.clock);
    if (this.#isStarted) this.#subscribe();
  }

  #subscribe(): void {
    const { subscriber, sharded, logger } = this.#options;
    if (this.#names === undefined) return;
    const { channel } = this.#names;
    const subscribed = sharded ? subscriber.ssubscribe(channel) : subscriber.subscribe(channel);
    // The client subscribes again by itself; until it does, readings carry the purges.
    subscribed.catch((error: unknown) => logger.warn({ err: error }, 'purge bus: not subscribed yet'));
  }

  #prefixOf({ name }: BusOwner): string {
    return `${this.#options.prefix}${name}:`;
  }

  #channelOf(owner: BusOwner): string {
    return keyUnder(this.#prefixOf(owner), 'purges');
  }

  #namesUnder(prefix: string): Names {
    const keys = KEY_NAMES.map((name) => keyUnder(prefix, name));
    const script = (source: string) => new RedisScript(this.#options.commands, source, keys);
    return {
      channel: keyUnder(prefix, 'purges'),
      streamKey: keyUnder(prefix, 'stream'),
      scripts: {
        readState: script(READ_STATE),
        readClock: script(READ_CLOCK),
        publish: script(PUBLISH),
        setFresh: script(SET_FRESH),
        beginEpoch: script(BEGIN_EPOCH),
        readAcknowledgements: script(READ_ACKNOWLEDGEMENTS),
        leave: script(LEAVE),
      },
    };
  }

  #named(): Names {
    if (this.#names === undefined) throw new DatabaseUnknownError();
    return this.#names;
  }

  #heard(text: string): void {
    if (text === ASK_FOR_ACKNOWLEDGEMENTS) {
      if (this.#options.member !== undefined) this.#follower.asked();
      return;
    }
    const purge = parseMessage(text.slice(SIGNATURE_LENGTH));
    const { epoch } = this.#secret;
    if (purge === undefined) {
      this.#refuse(text);
    } else if (purge.epoch !== epoch) {
      // Of a new epoch, or of an old one, or forged. The reading tells, and brings what is missing.
      void this.#follower.read();
    } else if (this.#isSigned(text)) {
      this.#follower.heard(purge);
    } else {
      this.#refuse(text);
    }
  }

  /**
   * Only the script that counts purges knows the secret, and who can read it can write the clock, too. A number that was
   * never counted must not be believed: stamps would be taken that lie ahead of purges to come.
   */
  #isSigned(text: string): boolean {
    const hash = createHash('sha1')
      .update(this.#secret.text)
      .update(text.slice(SIGNATURE_LENGTH))
      .digest('hex');
    return text.startsWith(hash);
  }

  #refuse(text: string): void {
    this.#messagesRefused++;
    const fields = { length: text.length, refused: this.#messagesRefused };
    this.#tell(
      'purge bus: a message that is not ours was refused; see docs/guides/redis.md for who may publish',
      fields,
    );
  }

  async #run(script: ScriptName, args: readonly (string | Buffer)[]): Promise<readonly unknown[]> {
    const { newEpoch } = this.#options;
    const { epoch, seq } = this.#known;
    const { scripts } = this.#named();
    const ensure = [newEpoch(), newEpoch(), String(this.#slots), String(LAST_SEQ), epoch, String(seq)];
    try {
      return await scripts[script].run([...ensure, ...args]);
    } catch (error) {
      const unavailable = new BusUnavailableError(error);
      if (unavailable.isRefusal) this.#tell(unavailable);
      throw unavailable;
    }
  }

  #stateOf(answer: readonly unknown[]): StreamPosition {
    const state = { epoch: String(answer[0]), seq: Number(answer[1]) };
    this.#learn(state, true);
    return state;
  }

  /** An answer says which epoch it is; a stamp of another one may be of any. */
  #learn({ epoch, seq }: StreamPosition, isAnswer = false): void {
    if (epoch === this.#known.epoch) {
      if (seq > this.#known.seq) this.#known = { epoch, seq };
    } else if (isAnswer) this.#known = { epoch, seq };
  }

  #tell(
    what: string | CoherentError,
    fields: Record<string, unknown> = {},
    level: 'warn' | 'error' = 'warn',
  ): void {
    const text = typeof what === 'string' ? what : what.message;
    const now = this.#options.clock.monotonic();
    if (now - (this.#toldAt.get(text) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
    if (this.#toldAt.size > 20) this.#toldAt.clear();
    this.#toldAt.set(text, now);
    this.#options.logger[level](typeof what === 'string' ? fields : { err: what }, text);
  }
}

function keyUnder(prefix: string, name: string): string {
  return `{${prefix}bus}:${name}`;
}

/** `<ms> <seq> <epoch>` */
function acknowledgementOf(name: string, word: string): Acknowledgement {
  const [, seq = '0', epoch = ''] = word.split(' ');
  return { name, word, epoch, seq: Number(seq) };
}

function toSlots(value: unknown): Uint32Array {
  if (!Buffer.isBuffer(value)) throw new TypeError('The purge clock in Redis is not a string');
  return fromLittleEndian(value.subarray(0, value.length - SEAL_BYTES));
}
