// Waiting until every live worker has applied a purge. The bus keeps acknowledgements: for each worker that serves pages how far
// it had come when it last read the purge stream. The waiting process looks at the list of acknowledgements, first asking all workers to say at once
// where they are, then every few milliseconds.
//
// A worker that does not answer is stopped, cut off or dead; which of them cannot be told. What is certain: once it
// has been silent for the term of its lease it serves a micro-cache only, so nothing made before the purge is left of
// it when `degradedTtlMs` have gone by as well. From then on it is not waited for. Silence is counted by the clock of
// the one who waits: the acknowledgements' own times are only compared for being the same as before, so no jump of a clock makes a
// living worker look dead.
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Applied, AppliedOptions, Published } from './bus.ts';

/** A worker that serves pages, as the bus last heard of it. */
export interface Acknowledgement {
  readonly name: string;
  /** Differs from every earlier word of this worker. */
  readonly word: string;
  /** What it had applied. `epoch` is '' where it does not follow the purge stream yet. */
  readonly epoch: string;
  readonly seq: number;
}

export interface Acknowledgements extends Published {
  readonly members: readonly Acknowledgement[];
  /** How long the bus has kept this list of acknowledgements: after a loss of everything the living are back on it within a lease's term. */
  readonly keptMs: Milliseconds;
}

export interface AcknowledgementSource {
  /** The list of acknowledgements as it stands; with `ask` every worker is told to say at once how far it is. */
  readAcknowledgements(ask: boolean): Promise<Acknowledgements>;
  /** The epoch moved under a wait: says again what the old one may have lost. Resolves to what to wait for now. */
  sayAgain(now: Published): Promise<Published>;
}

export interface AcknowledgementTimes {
  readonly clock: Clock;
  /** Of a worker's lease. */
  readonly termMs: Milliseconds;
  readonly degradedTtlMs: Milliseconds;
}

export const JUST_BEGUN = 'any worker that has not been heard of since the bus began';

const FIRST_PAUSE_MS: Milliseconds = 1;
const LONGEST_PAUSE_MS: Milliseconds = 16;

/**
 * Resolves when no live worker serves anything from before `published` any more, or at the timeout, naming who may.
 * Rejects with the source's error where the list of acknowledgements could not be had once, and with the signal's reason.
 */
export async function untilApplied(
  source: AcknowledgementSource,
  published: Published,
  { timeoutMs, signal }: AppliedOptions,
  times: AcknowledgementTimes,
): Promise<Applied> {
  const { clock } = times;
  const endsAt = clock.monotonic() + timeoutMs;
  const silences = new Silences(times);
  let target = published;
  let ask = true;
  let found: Applied | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const acknowledgements = await source.readAcknowledgements(ask);
      ask = acknowledgements.epoch !== target.epoch;
      if (ask) target = await source.sayAgain(acknowledgements);
      else found = take(acknowledgements, target, silences, times);
    } catch (error) {
      if (found === undefined && clock.monotonic() >= endsAt) throw error;
      ask = true;
    }
    if (found?.missing.length === 0) return found;
    const leftMs = endsAt - clock.monotonic();
    if (leftMs <= 0) return found ?? { workers: 0, missing: [JUST_BEGUN] };
    await pause(clock, Math.min(pauseMs, leftMs), signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function take(
  acknowledgements: Acknowledgements,
  target: Published,
  silences: Silences,
  { termMs }: AcknowledgementTimes,
): Applied {
  let workers = 0;
  const missing = acknowledgements.keptMs >= 0 && acknowledgements.keptMs <= termMs ? [JUST_BEGUN] : [];
  for (const entry of acknowledgements.members) {
    if (entry.epoch === target.epoch && entry.seq >= target.seq) workers++;
    else if (!silences.harmless(entry)) missing.push(entry.name);
  }
  return { workers, missing };
}

/** Who has said nothing for how long, as seen by one wait. */
class Silences {
  readonly #times: AcknowledgementTimes;
  readonly #beganAt: Milliseconds;
  readonly #heard = new Map<string, { word: string; at: Milliseconds }>();

  constructor(times: AcknowledgementTimes) {
    this.#times = times;
    this.#beganAt = times.clock.monotonic();
  }

  /** Its lease is over, and so is what it may have put into its micro-cache before the purge. */
  harmless({ name, word }: Acknowledgement): boolean {
    const { clock, termMs, degradedTtlMs } = this.#times;
    const now = clock.monotonic();
    const last = this.#heard.get(name);
    if (last?.word !== word) {
      this.#heard.set(name, { word, at: now });
      return false;
    }
    return now - last.at > termMs && now - this.#beganAt > degradedTtlMs;
  }
}

function pause(clock: Clock, ms: Milliseconds, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.after(ms, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}
