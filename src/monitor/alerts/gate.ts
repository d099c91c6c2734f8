// Whether something is the matter, said only once it has lasted, and taken back only once it has been well for a while.
//
//   calm      -- over the limit for holdMs -->   raised
//   raised    -- well for clearMs          -->   calm
//
// "Well" is a lower line than the limit: what moves between the two changes nothing. So a value that trembles about the
// limit raises one alert, not hundreds.
import type { Milliseconds } from '../../core/units.ts';

export type Level = 'over' | 'between' | 'well';

export interface GateTimes {
  readonly holdMs: Milliseconds;
  readonly clearMs: Milliseconds;
}

export class Gate {
  #isRaised = false;
  /** Since when the level has been what turns it over; undefined: it is not. */
  #since: Milliseconds | undefined;

  get isRaised(): boolean {
    return this.#isRaised;
  }

  /** What changed at this moment. `nowMs` is monotonic. */
  step(level: Level, nowMs: Milliseconds, { holdMs, clearMs }: GateTimes): 'raised' | 'resolved' | undefined {
    const turning: Level = this.#isRaised ? 'well' : 'over';
    if (level !== turning) {
      this.#since = undefined;
      return undefined;
    }
    this.#since ??= nowMs;
    if (nowMs - this.#since < (this.#isRaised ? clearMs : holdMs)) return undefined;
    this.#isRaised = !this.#isRaised;
    this.#since = undefined;
    return this.#isRaised ? 'raised' : 'resolved';
  }
}
