// Messages that are shown once, after a redirect: a sealed cookie that is taken away by the answer that shows it.
import type { Clock } from '../core/clock.ts';
import type { EpochMs, Milliseconds } from '../core/units.ts';
import type { Seals } from './seal.ts';

const KINDS = ['success', 'info', 'warning', 'error'] as const;
export type FlashKind = (typeof KINDS)[number];

export interface Flash {
  readonly kind: FlashKind;
  readonly text: string;
}

/** What was not shown by then is about nothing that the visitor remembers. */
export const FLASH_MAX_AGE_MS: Milliseconds = 5 * 60_000;
const PURPOSE = 'flash';

type Sealed = [endsMs: EpochMs, ...messages: [kind: FlashKind, text: string][]];

export class FlashSeal {
  readonly #seals: Seals;
  readonly #clock: Clock;

  constructor(seals: Seals, clock: Clock) {
    this.#seals = seals;
    this.#clock = clock;
  }

  seal(messages: readonly Flash[], host: string): string {
    const sealed: Sealed = [
      this.#clock.now() + FLASH_MAX_AGE_MS,
      ...messages.map(({ kind, text }): [FlashKind, string] => [kind, text]),
    ];
    return this.#seals.seal(PURPOSE, host, JSON.stringify(sealed));
  }

  /** [] for what is not ours, or too old. */
  open(sealed: string, host: string): readonly Flash[] {
    const text = this.#seals.open(PURPOSE, host, sealed);
    if (text === undefined) return [];
    const [endsMs, ...messages] = JSON.parse(text) as Sealed;
    const leftMs = endsMs - this.#clock.now();
    if (leftMs <= 0 || leftMs > 2 * FLASH_MAX_AGE_MS) return [];
    return messages.map(([kind, said]) => ({ kind, text: said }));
  }
}
