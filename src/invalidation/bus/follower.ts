// The listening half of a purge bus, whatever carries it. It trusts nothing it hears: a purge is told on only if it is
// the next one. Anything else (a hole, another epoch, silence) leads to a *reading*: the source is asked where the
// purge stream stands, what is missing is fetched, and where the source no longer reaches back the whole clock is loaded.
// A reading also happens every `readEveryMs`, and each one that succeeds renews the lease: so a message that was
// silently lost is found by the next reading, and a dead source by the reading that fails.
//
// Invariants
// - listeners see the purges of an epoch in order, without holes and without repeats; otherwise they see a reset
// - the lease is renewed only after everything up to the number that was read has been told to the listeners
// - at most one reading is under way; one asked for meanwhile follows it
// - a reading says how far this worker was when it was sent, which goes onto the list of acknowledgements (acknowledgements.ts)
// - in a purge stream that is not about this process's database nothing is told but that nothing can be trusted
// - what is heard while the clock is loaded is told after it: else a stream of purges that is quicker than loading would
//   leave a hole behind every load, and so another load, for ever
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Milliseconds, Seq } from '../../core/units.ts';
import type { ClockState } from '../clock/clock-state.ts';
import type { Lease } from '../clock/lease.ts';
import type { BusListener, Purge } from './bus.ts';

/** Where the purge stream stands. */
export interface StreamPosition {
  readonly epoch: string;
  readonly seq: Seq;
}

export interface PurgeStreamReading extends StreamPosition {
  /** How long the change feed's word still holds that all commits have been published; <= 0: it does not. */
  readonly freshMs: Milliseconds;
  /** The feed speaks of another database than the one this process reaches: nothing of this purge stream is about our entries. */
  readonly isElsewhere: boolean;
}

/** What a follower asks of the carrier. Each call may reject: the lease is then simply not renewed. */
export interface PurgeSource {
  /** `position`: what the listeners know by now. */
  readState(position: StreamPosition | undefined): Promise<PurgeStreamReading>;
  /** The purges after `from` up to `to`, in order; undefined where the source does not reach back so far. */
  readSince(from: StreamPosition, to: Seq): Promise<readonly Purge[] | undefined>;
  readClock(): Promise<ClockState>;
}

export interface FollowerOptions {
  readonly source: PurgeSource;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly logger: Logger;
  /** How often the source is read. The lease's term should be twice this. */
  readonly readEveryMs: Milliseconds;
  /** Whether the lease also demands that the change feed is up to date. */
  readonly needsFresh: boolean;
  readonly newEpoch: () => string;
}

/** Purges that are kept until what comes before them is known. */
const MAX_AHEAD = 1_000;
/** Of all of them together. */
const MAX_KEYS_AHEAD = 100_000;

const noStats = () => ({
  applied: 0,
  /** Readings that told of purges which no message had brought by then. */
  gapsFound: 0,
  /** Purges that were told from what the source keeps. */
  gapsMended: 0,
  clockLoads: 0,
  epochsSeen: 0,
  readingsFailed: 0,
});
export type FollowerStats = Readonly<ReturnType<typeof noStats>>;

export class PurgeFollower {
  readonly #options: FollowerOptions;
  readonly #listeners = new Set<BusListener>();
  readonly #stats = noStats();
  /** What the listeners have been told; undefined while one of them has not had its reset. */
  #position: StreamPosition | undefined;
  /** Heard, and not the next ones; in the order in which they came. */
  #ahead: Purge[] = [];
  #keysAhead = 0;
  #timer: Timer | undefined;
  #reading: Promise<void> | undefined;
  #readAgain = false;
  #closed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Resolves after the first reading, whether it succeeded or not. */
  async start(): Promise<void> {
    await this.read();
    this.#tick();
  }

  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener);
    // The newcomer needs the whole clock: the next reading loads it, for all.
    this.#position = undefined;
    if (this.#timer !== undefined) void this.read();
    return () => this.#listeners.delete(listener);
  }

  /** A purge came by message. */
  heard(purge: Purge): void {
    const position = this.#position;
    if (position !== undefined && purge.epoch === position.epoch && purge.seq <= position.seq) return;
    if (position !== undefined && purge.epoch === position.epoch && purge.seq === position.seq + 1) {
      this.#tell(purge);
      return;
    }
    this.#keepAhead(purge);
    void this.read();
  }

  /** Nothing that was told can be trusted any more, and what is held even less: what it is about is another database. */
  leave(): void {
    this.#options.lease.revoke();
    this.#forgetAhead();
    if (this.#position === undefined) return;
    this.#position = undefined;
    const epoch = this.#options.newEpoch();
    for (const listener of this.#listeners) listener.reset(epoch, 0, undefined);
  }

  /** A purge waits for this worker to say how far it is. */
  asked(): void {
    // Also where a purge went missing on its way: the reading mends that, too.
    if (this.#timer !== undefined) void this.read();
  }

  stats(): FollowerStats {
    return { ...this.#stats };
  }

  /** Never rejects. */
  read(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#reading !== undefined) {
      this.#readAgain = true;
      return this.#reading;
    }
    this.#reading = this.#readAndReport()
      .catch((error: unknown) => {
        this.#stats.readingsFailed++;
        this.#options.logger.debug({ err: error }, 'purge bus: the purge stream could not be read');
      })
      .then(() => {
        this.#reading = undefined;
        if (!this.#readAgain) return;
        this.#readAgain = false;
        void this.read();
      });
    return this.#reading;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#listeners.clear();
    this.#options.lease.revoke();
    await this.#reading;
  }

  #tick(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.after(this.#options.readEveryMs, () => {
      void this.read();
      this.#tick();
    });
  }

  /** What a reading has mended it could not say itself. Once: under a stream of purges there is always more. */
  async #readAndReport(): Promise<void> {
    if (await this.#readOnce()) await this.#readOnce();
  }

  /** True where it told the listeners something new. */
  async #readOnce(): Promise<boolean> {
    const { source, clock, lease, needsFresh } = this.#options;
    const sentAt = clock.monotonic();
    const { gapsMended, clockLoads } = this.#stats;
    const state = await source.readState(this.#position);
    if (state.isElsewhere) {
      this.leave();
      return false;
    }
    if (!(await this.#catchUp(state))) await this.#loadClock();
    if (!needsFresh || state.freshMs > 0) lease.renew(sentAt);
    return this.#stats.gapsMended !== gapsMended || this.#stats.clockLoads !== clockLoads;
  }

  /** Tells what no message has brought. False where only the whole clock can mend it. */
  async #catchUp(state: StreamPosition): Promise<boolean> {
    const position = this.#position;
    if (position === undefined || position.epoch !== state.epoch) return false;
    // Also when messages have overtaken the reading.
    if (position.seq >= state.seq) return true;
    const missing = await this.#options.source.readSince(position, state.seq);
    if (this.#position !== undefined && this.#position.seq < state.seq) this.#stats.gapsFound++;
    if (missing === undefined) return false;
    for (const purge of missing) {
      // A message may have overtaken the reading.
      const at = this.#position;
      if (at?.epoch !== purge.epoch) return false;
      if (purge.seq <= at.seq) continue;
      if (purge.seq !== at.seq + 1) return false;
      this.#stats.gapsMended++;
      this.#tell(purge);
    }
    this.#tellAhead();
    return this.#position?.epoch === state.epoch && this.#position.seq >= state.seq;
  }

  async #loadClock(): Promise<void> {
    const state = await this.#options.source.readClock();
    const { epoch, seq } = state;
    const position = this.#position;
    if (position?.epoch === epoch && position.seq >= seq) return;
    if (position?.epoch !== epoch) this.#stats.epochsSeen++;
    this.#stats.clockLoads++;
    this.#position = { epoch, seq };
    for (const listener of this.#listeners) listener.reset(epoch, seq, state);
    this.#tellAhead();
  }

  /** As far as they follow what has been told by now. What comes behind another hole waits for the next reading. */
  #tellAhead(): void {
    const ahead = this.#ahead;
    this.#forgetAhead();
    for (const purge of ahead) {
      const position = this.#position;
      if (position?.epoch !== purge.epoch || purge.seq <= position.seq) continue;
      if (purge.seq === position.seq + 1) this.#tell(purge);
      else this.#keepAhead(purge);
    }
  }

  /** Where they become too many all go: a reading brings them anyway. */
  #keepAhead(purge: Purge): void {
    this.#keysAhead += purge.keys.length;
    if (this.#ahead.length >= MAX_AHEAD || this.#keysAhead > MAX_KEYS_AHEAD) this.#forgetAhead();
    else this.#ahead.push(purge);
  }

  #forgetAhead(): void {
    this.#ahead = [];
    this.#keysAhead = 0;
  }

  #tell(purge: Purge): void {
    this.#stats.applied++;
    this.#position = { epoch: purge.epoch, seq: purge.seq };
    for (const listener of this.#listeners) listener.purge(purge);
  }
}
