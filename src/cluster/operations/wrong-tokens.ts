// Wrong tokens cost. An address that has sent BURST of them is not listened to until one a second is forgiven: a
// right token is not even compared meanwhile, or the answer would tell that it was right.
import type { Clock } from '../../core/clock.ts';
import { Allowance } from './allowance.ts';

export const WRONG_TOKENS_BURST = 10;
const FORGIVEN_PER_SECOND = 1;
/** Addresses remembered; the one that was wrong the longest ago is forgotten first. */
export const MAX_ADDRESSES = 1000;

export class WrongTokens {
  readonly #clock: Clock;
  readonly #byAddress = new Map<string, Allowance>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of the addresses that are remembered. */
  get size(): number {
    return this.#byAddress.size;
  }

  mayTry(address: string): boolean {
    return this.#byAddress.get(address)?.has ?? true;
  }

  wasWrong(address: string): void {
    const allowance =
      this.#byAddress.get(address) ??
      new Allowance({ clock: this.#clock, burst: WRONG_TOKENS_BURST, perSecond: FORGIVEN_PER_SECOND });
    allowance.take();
    this.#byAddress.delete(address);
    this.#byAddress.set(address, allowance);
    const [first] = this.#byAddress.keys();
    if (this.#byAddress.size > MAX_ADDRESSES && first !== undefined) this.#byAddress.delete(first);
  }
}
