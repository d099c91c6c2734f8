import type { Clock, Timer } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  readonly clock: Clock;
  /** 0 to 1. Spreads the probes of many workers. */
  readonly random: () => number;
  /** Asks the other side whether it is well; no request is spent on finding out. */
  readonly probe: () => Promise<unknown>;
  readonly onChange?: (state: BreakerState) => void;
  /** Failures in a row that open it. Default 1: one request pays the timeout, the next ones do not. */
  readonly failuresToOpen?: number;
  readonly firstPauseMs?: Milliseconds;
  readonly maxPauseMs?: Milliseconds;
}

/**
 * Keeps requests away from a part that fails or hangs.
 *
 *   closed --failures--> open --pause over--> half-open --probe well--> closed
 *                          ^------- probe failed, the pause doubles -------|
 */
export class Breaker {
  readonly #options: Required<Omit<BreakerOptions, 'onChange'>> & Pick<BreakerOptions, 'onChange'>;
  #state: BreakerState = 'closed';
  #failures = 0;
  #opened = 0;
  #pauseMs: Milliseconds;
  #timer: Timer | undefined;
  #shut = false;

  constructor(options: BreakerOptions) {
    this.#options = { failuresToOpen: 1, firstPauseMs: 100, maxPauseMs: 2000, ...options };
    this.#pauseMs = this.#options.firstPauseMs;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** How often it has opened. */
  get opened(): number {
    return this.#opened;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
    if (this.#state === 'closed' && this.#failures >= this.#options.failuresToOpen) this.#open();
  }

  close(): void {
    this.#shut = true;
    this.#timer?.cancel();
  }

  #open(): void {
    if (this.#shut) return;
    this.#opened++;
    this.#change('open');
    const { clock, random, maxPauseMs } = this.#options;
    this.#timer = clock.after(this.#pauseMs * (0.5 + random() / 2), () => void this.#probe());
    this.#pauseMs = Math.min(this.#pauseMs * 2, maxPauseMs);
  }

  async #probe(): Promise<void> {
    this.#change('half-open');
    try {
      await this.#options.probe();
    } catch {
      return this.#open();
    }
    if (this.#shut) return;
    this.#failures = 0;
    this.#pauseMs = this.#options.firstPauseMs;
    this.#change('closed');
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#options.onChange?.(state);
  }
}
