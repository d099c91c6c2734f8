// The purge bus of one host, where there is no Redis: a follower whose source is the relay in the primary.
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { DependencyKey, EpochMs, Milliseconds, Stamp } from '../../core/units.ts';
import {
  type AcknowledgementSource,
  type Acknowledgements,
  untilApplied,
} from '../../invalidation/bus/acknowledgements.ts';
import type {
  Applied,
  AppliedOptions,
  BusListener,
  Published,
  Purge,
  PurgeBus,
} from '../../invalidation/bus/bus.ts';
import type { BusOwner } from '../../invalidation/bus/bus-owner.ts';
import {
  type FollowerStats,
  PurgeFollower,
  type PurgeSource,
  type PurgeStreamReading,
  type StreamPosition,
} from '../../invalidation/bus/follower.ts';
import { inParts, MAX_KEY_LENGTH } from '../../invalidation/bus/purge-message.ts';
import { decodeSnapshot } from '../../invalidation/clock/clock-snapshot.ts';
import type { ClockState, PurgeKind } from '../../invalidation/clock/clock-state.ts';
import type { Lease } from '../../invalidation/clock/lease.ts';
import { DEFAULT_SLOTS } from '../../invalidation/clock/slots.ts';
import {
  BusClosedError,
  DatabaseUnknownError,
  KeyTooLongError,
  RelaySilentError,
} from '../../invalidation/errors.ts';
import { type FromRelay, readFromRelay, type ToRelay } from './host-messages.ts';

/** The way to the relay: messages arrive in the order they were sent, or the way is gone. */
export interface RelayLine {
  send(body: ToRelay): void;
  onMessage(handler: (body: unknown) => void): void;
}

export interface HostBusOptions {
  readonly line: RelayLine;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly logger: Logger;
  readonly readEveryMs: Milliseconds;
  readonly needsFresh: boolean;
  readonly newEpoch: () => string;
  /** Nothing is trusted before `belongTo` has told whose purges it carries. */
  readonly isOwned?: boolean;
  /** Names this process on the list of acknowledgements: its slot and pid, say. Without: it serves no pages. */
  readonly member?: string;
  /** How long a worker without a lease serves what it has just made. */
  readonly degradedTtlMs?: Milliseconds;
  readonly slots?: number;
}

const ANSWER_WITHIN_MS: Milliseconds = 1000;

type Answer = Exclude<FromRelay, { say: 'purge' | 'report' }>;
type Question =
  Exclude<ToRelay, { ask: 'fresh' | 'leave' }> extends infer Q
    ? Q extends unknown
      ? Omit<Q, 'id'>
      : never
    : never;

export class HostBus implements PurgeBus, PurgeSource, AcknowledgementSource {
  readonly #options: HostBusOptions;
  readonly #follower: PurgeFollower;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  #seen: StreamPosition | undefined;
  #owner: BusOwner | undefined;
  /** As the last reading said. */
  #isElsewhere = false;
  #closed = false;

  constructor(options: HostBusOptions) {
    this.#options = options;
    this.#follower = new PurgeFollower({ ...options, source: this });
    options.line.onMessage((body) => this.#receive(body));
  }

  /** Begins to listen. Never rejects. */
  start(): Promise<void> {
    return this.#follower.start();
  }

  /** Whose purges these are from now on; undefined while it is unknown. What was trusted before is not any more. */
  belongTo(owner: BusOwner | undefined): void {
    if (this.#closed || owner?.server === this.#owner?.server) return;
    this.#owner = owner;
    this.#follower.leave();
    // Before the start this reads nothing: the first reading comes with it.
    this.#follower.asked();
  }

  async publish(keys: readonly DependencyKey[], kind: PurgeKind, committedMs?: EpochMs): Promise<Published> {
    if (this.#closed) throw new BusClosedError();
    const tooLong = keys.find((key) => key.length > MAX_KEY_LENGTH);
    if (tooLong !== undefined) throw new KeyTooLongError(tooLong, MAX_KEY_LENGTH);
    let published: Published = { epoch: '', seq: 0 };
    for (const part of inParts(keys)) {
      published = await this.#ask('published', { ask: 'publish', keys: [...part], kind, committedMs });
    }
    return { epoch: published.epoch, seq: published.seq };
  }

  async applied(published: Published, options: AppliedOptions): Promise<Applied> {
    if (this.#closed) throw new BusClosedError();
    const { clock, lease, degradedTtlMs = 1000 } = this.#options;
    return untilApplied(this, published, options, { clock, termMs: lease.termMs, degradedTtlMs });
  }

  /** For the feed: everything committed until the moment of the call has been published. Holds for `lifeMs`. */
  async setFresh(lifeMs: Milliseconds): Promise<void> {
    this.#options.line.send({ ask: 'fresh', lifeMs, server: this.#owner?.server ?? '' });
  }

  /** Everything rendered until now becomes suspect: purges are known to have been lost. */
  async beginEpoch(): Promise<Published> {
    const { epoch, seq } = await this.#ask('published', { ask: 'epoch' });
    void this.#follower.read();
    return { epoch, seq };
  }

  /** An entry carries this stamp: so many purges there have been at least. */
  saw({ epoch, seq }: Stamp): void {
    if (this.#seen?.epoch !== epoch || seq > this.#seen.seq) this.#seen = { epoch, seq };
  }

  subscribe(listener: BusListener): () => void {
    return this.#follower.subscribe(listener);
  }

  stats(): FollowerStats {
    return this.#follower.stats();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#follower.close();
    this.#options.line.send({ ask: 'leave' });
  }

  async readState(position: StreamPosition | undefined): Promise<PurgeStreamReading> {
    const { isOwned, needsFresh } = this.#options;
    const owner = this.#owner;
    const { epoch, seq, freshMs, server } = await this.#ask('state', {
      ask: 'state',
      // A waiting purge need not wait for a worker that serves from another database.
      ...(this.#options.member === undefined || this.#isElsewhere ? {} : { member: this.#options.member }),
      ...(position ?? { epoch: '', seq: 0 }),
      ...(this.#seen && { seen: this.#seen }),
    });
    if (owner !== this.#owner) throw new DatabaseUnknownError();
    this.#isElsewhere =
      isOwned === true && (owner === undefined || (needsFresh && server !== '' && server !== owner.server));
    return { epoch, seq, freshMs, isElsewhere: this.#isElsewhere };
  }

  /** Messages of one line cannot be lost singly, so what is missing was never sent to us: only the clock helps. */
  async readSince(): Promise<readonly Purge[] | undefined> {
    return undefined;
  }

  async readClock(): Promise<ClockState> {
    const { file } = await this.#ask('clock', { ask: 'clock' });
    return decodeSnapshot(await readFile(file), this.#options.slots ?? DEFAULT_SLOTS);
  }

  async readAcknowledgements(everybody: boolean): Promise<Acknowledgements> {
    const { epoch, seq, members } = await this.#ask('acknowledgements', {
      ask: 'acknowledgements',
      everybody,
    });
    // A relay lives as long as its workers: it has heard of all that there are.
    return { epoch, seq, members, keptMs: Number.POSITIVE_INFINITY };
  }

  /** A relay that began an epoch had heard everything that was said before. */
  async sayAgain(now: Published): Promise<Published> {
    return { epoch: now.epoch, seq: now.seq };
  }

  #receive(body: unknown): void {
    const message = readFromRelay(body);
    if (message === undefined) {
      this.#options.logger.warn({}, 'purge bus: dropped a message that is not of its protocol');
    } else if (message.say === 'purge') this.#follower.heard(message);
    else if (message.say === 'report') this.#follower.asked();
    else this.#waiting.get(message.id)?.(message);
  }

  #ask<S extends Answer['say']>(say: S, question: Question): Promise<Extract<Answer, { say: S }>> {
    const id = this.#lastId++;
    return new Promise((resolve, reject) => {
      const limit = this.#options.clock.after(ANSWER_WITHIN_MS, () => {
        this.#waiting.delete(id);
        reject(new RelaySilentError(ANSWER_WITHIN_MS));
      });
      this.#waiting.set(id, (answer) => {
        limit.cancel();
        this.#waiting.delete(id);
        if (isA(answer, say)) resolve(answer);
        else reject(new RelaySilentError(ANSWER_WITHIN_MS));
      });
      this.#options.line.send({ ...question, id });
    });
  }
}

function isA<S extends Answer['say']>(answer: Answer, say: S): answer is Extract<Answer, { say: S }> {
  return answer.say === say;
}
