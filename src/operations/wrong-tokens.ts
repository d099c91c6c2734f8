// Wrong tokens are counted by address. An address that has sent BURST of them is told so instead of being answered, and is
// forgiven one a second: its operator sees what happens, and a loop in a script is told to slow down.
//
// The right token is always heard. To close the port to an address would close it to everybody behind that address (a
// proxy, a NAT, this very machine), and stop no guessing: a token has at least 16 characters
// (docs/decisions/0037-wrong-tokens.md).
import type { Clock } from '../core/clock.ts';
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

  /** False: one too many. */
  wasWrong(address: string): boolean {
    const allowance =
      this.#byAddress.get(address) ??
      new Allowance({ clock: this.#clock, burst: WRONG_TOKENS_BURST, perSecond: FORGIVEN_PER_SECOND });
    const isBearable = allowance.take();
    this.#byAddress.delete(address);
    this.#byAddress.set(address, allowance);
    const [first] = this.#byAddress.keys();
    if (this.#byAddress.size > MAX_ADDRESSES && first !== undefined) this.#byAddress.delete(first);
    return isBearable;
  }
}
