// What one worker can say of its own coherence: the purge stream as it heard it, how late purges came, whether it may be trusted.
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds, Seq } from '../../core/units.ts';
import type { BusListener, Purge, PurgeBus } from '../bus/bus.ts';
import type { FollowerStats } from '../bus/follower.ts';
import type { Lease } from '../clock/lease.ts';
import type { CoherenceSampler, SamplerStats } from './coherence-sampler.ts';
import { type CommitDelayStats, CommitDelays } from './commit-delays.ts';

export interface CoherenceStats {
  /** The lease is held: what this worker knows of purges is complete. */
  readonly trusted: boolean;
  /** Times the lease ran out or was taken away. */
  readonly leaseLosses: number;
  /** Without a lease, in all: pages were a micro-cache. Also from the start to the first lease. */
  readonly degradedMs: Milliseconds;
  readonly epoch: string;
  readonly seq: Seq;
  /** Everything that was cached became suspect. The first epoch of a worker's life is not counted. */
  readonly epochChanges: number;
  /** Applied by name. */
  readonly purges: number;
  readonly expires: number;
  readonly keys: number;
  /** Readings of the purge stream that told of purges which no message had brought by then. */
  readonly gapsFound: number;
  /** Those purges, as far as they came by name. */
  readonly gapsMended: number;
  /** Times the whole clock had to be loaded, the first time included. */
  readonly clockLoads: number;
  readonly readingsFailed: number;
  readonly messagesRefused: number;
  readonly commitToApplied: CommitDelayStats;
  readonly sampler: SamplerStats;
}

export type MeasuredBus = PurgeBus & {
  stats(): FollowerStats & { readonly messagesRefused?: number };
};

export interface CoherenceMeterOptions {
  readonly clock: Clock;
  readonly lease: Pick<Lease, 'trustedUntil' | 'stats'>;
  readonly bus: Pick<MeasuredBus, 'stats'>;
  readonly sampler: CoherenceSampler;
}

/** Subscribe it after the purge clock: what it times has then been applied. */
export class CoherenceMeter implements BusListener {
  readonly #options: CoherenceMeterOptions;
  readonly #delays = new CommitDelays();
  #epoch = '';
  #seq: Seq = 0;
  #epochChanges = 0;
  #purges = 0;
  #expires = 0;
  #keys = 0;

  constructor(options: CoherenceMeterOptions) {
    this.#options = options;
  }

  purge(purge: Purge): void {
    const { epoch, seq, kind, keys, committedMs } = purge;
    this.#moveTo(epoch, seq);
    if (kind === 'purge') this.#purges++;
    else this.#expires++;
    this.#keys += keys.length;
    if (committedMs !== undefined) this.#delays.add(committedMs, this.#options.clock.now());
    this.#options.sampler.purge(purge);
  }

  reset(epoch: string, seq: Seq): void {
    this.#moveTo(epoch, seq);
    this.#options.sampler.reset(epoch);
  }

  stats(): CoherenceStats {
    const { clock, lease, bus, sampler } = this.#options;
    const { losses, degradedMs } = lease.stats();
    const { gapsFound, gapsMended, clockLoads, readingsFailed, messagesRefused = 0 } = bus.stats();
    return {
      trusted: clock.monotonic() < lease.trustedUntil,
      leaseLosses: losses,
      degradedMs,
      epoch: this.#epoch,
      seq: this.#seq,
      epochChanges: this.#epochChanges,
      purges: this.#purges,
      expires: this.#expires,
      keys: this.#keys,
      gapsFound,
      gapsMended,
      clockLoads,
      readingsFailed,
      messagesRefused,
      commitToApplied: this.#delays.stats(),
      sampler: sampler.stats(),
    };
  }

  #moveTo(epoch: string, seq: Seq): void {
    if (this.#epoch !== '' && this.#epoch !== epoch) this.#epochChanges++;
    this.#epoch = epoch;
    this.#seq = seq;
  }
}
