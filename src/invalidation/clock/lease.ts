import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';

/**
 * How long this worker may trust what it holds without hearing from the purge stream of purges. Every reading of the
 * purge stream that succeeded renews it, counted from *before* the reading was sent; nothing else does.
 *
 * While it has run out, entries are served only as a micro-cache: no older than `degradedTtlMs`. So the bound on
 * staleness holds whatever has failed, and the database is not stampeded.
 */
export class Lease {
  readonly termMs: Milliseconds;
  readonly #clock: Clock;
  #trustedUntil: Milliseconds;
  #degradedSince: Milliseconds | undefined;
  #degradedMs: Milliseconds = 0;
  #losses = 0;
  #revokedAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, termMs: Milliseconds) {
    this.#clock = clock;
    this.termMs = termMs;
    this.#trustedUntil = Number.NEGATIVE_INFINITY;
    this.#degradedSince = clock.monotonic();
  }

  /** Monotonic time up to which entries are trusted. Compared on every hit, so a stalled process cannot overstay. */
  get trustedUntil(): Milliseconds {
    return this.#trustedUntil;
  }

  get trusted(): boolean {
    return this.#clock.monotonic() < this.#trustedUntil;
  }

  /** The purge stream answered a reading that was sent at `sentAt` and nothing in it was missing. */
  renew(sentAt: Milliseconds): void {
    // Asked before it was taken away: the answer says nothing about why.
    if (sentAt < this.#revokedAt) return;
    const until = sentAt + this.termMs;
    if (until <= this.#trustedUntil) return;
    const now = this.#clock.monotonic();
    if (now >= this.#trustedUntil) this.#degradedMs += now - (this.#degradedSince ?? this.#trustedUntil);
    this.#degradedSince = undefined;
    this.#trustedUntil = until;
  }

  /** What is held may be older than anybody knows: the purge stream said so itself. */
  revoke(): void {
    const now = this.#clock.monotonic();
    this.#revokedAt = now;
    if (now < this.#trustedUntil) {
      this.#losses++;
      this.#degradedSince = now;
      this.#trustedUntil = now;
    }
  }

  /** Figures: times it was taken away, and how long in all it was not held. */
  stats(): { losses: number; degradedMs: Milliseconds } {
    const now = this.#clock.monotonic();
    const running = now < this.#trustedUntil ? 0 : now - (this.#degradedSince ?? this.#trustedUntil);
    return { losses: this.#losses, degradedMs: this.#degradedMs + running };
  }
}
