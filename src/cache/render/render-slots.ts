// Who may render now. A worker renders so many pages at a time and no more; others stand in a line, first come first
// served, and a request that would wait there too long is refused at once, while its client can still go elsewhere.
//
//   a slot is free, and this turn of the loop has rendered little yet   -> begins at once
//   otherwise                                                           -> the line, or a refusal:
//      full       the line has its greatest length
//      slow       the estimate of its wait is longer than any request may wait now
//      deadline   after that wait there would be no time left to render before its deadline
//   in the line: a slot becomes free -> begins;  `lineMs` are over -> refused (waited);  gone -> out of the line
//
// A worker that is short of breath itself (overload.ts: its loop is late, its heap is full) renders a quarter as many.
//
// Two things decide how long the line may be. Calm, it may hold `lineMs` of work, so that a burst is served. Once it has
// not been empty for STANDING_MS it is no burst: more comes than can be done, and a long line would only make everybody
// wait for nothing. From then on it is kept to a fifth (CoDel's idea, applied where people enter).
//
// A few (a quarter of the slots, those who render counted in) are never refused: on a machine that is slow for other reasons an
// estimate would turn away the only visitors there are.
//
// A turn of the event loop renders for TURN_MS and begins nothing after that. A page that never waits for I/O would
// otherwise be rendered inside the callback that read its request, one after another, while the requests behind it lie
// unseen in the kernel, hits among them: the queue would be there, and nothing could bound it. Now each turn reads what has
// come, answers the hits, refuses what is too much, and renders a little.
import type { Clock, Timer } from '../../core/clock.ts';
import { type OverloadLevel, worse } from '../../core/overload-level.ts';
import type { StopSignal } from '../../core/stop.ts';
import type { Milliseconds } from '../../core/units.ts';
import { OverloadedError, type Refusal } from '../errors.ts';

/** Why a render is refused. */
export type Shed = Exclude<Refusal, 'staleIfOverloaded'>;

export interface RenderSlotsOptions {
  readonly clock: Clock;
  readonly maxRunning: number;
  /** No request waits in the queue for longer. */
  readonly lineMs: Milliseconds;
  /** What the process itself feels: loop, memory. Default: nothing. */
  readonly overloadLevel?: () => OverloadLevel;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn?: (run: () => void) => void;
}

/** A render that has a slot. */
export interface Slot {
  /** It is over. Later calls do nothing. */
  leave(): void;
}

export interface RenderSlotsStats {
  readonly overloadLevel: OverloadLevel;
  readonly running: number;
  readonly maxRunning: number;
  readonly waiting: number;
  /** The estimated wait of a request that came now. */
  readonly waitMs: Milliseconds;
  readonly begun: number;
  /** Of these so many had to stand in the line. */
  readonly queued: number;
  /** Refused, by reason. */
  readonly shed: Readonly<Record<Shed, number>>;
  /** Renders that were spared because an older page could be served. */
  readonly staleIfOverloaded: number;
}

/** Who goes first when not all can: a page of one visitor, then one that is kept for others. */
export type Rank = 'personal' | 'shared';

interface Waiting {
  readonly deadlineMs: Milliseconds;
  begin(slot: Slot): void;
  refuse(refusal: Shed): void;
}

export const STANDING_MS: Milliseconds = 200;
/** What a turn of the loop may spend in renders before it begins another. */
const TURN_MS: Milliseconds = 2;
/** Of `lineMs`, once the line stands. */
const SHORT_LINE = 0.2;
/** Memory only: a line is cheap, and its length in time is what is really bounded. */
const PLACES_PER_SLOT = 32;
/** Of `maxRunning`: so many while the process itself is overloaded; as long as there are not more, no request is refused. */
const FEWER = 0.25;
/** What a new measurement counts in an average. */
const NEWEST = 0.1;

/** One of each is enough: a stack trace for every refusal would cost more than the refusal. */
const REFUSED: Readonly<Record<Shed, OverloadedError>> = {
  full: new OverloadedError('full'),
  slow: new OverloadedError('slow'),
  deadline: new OverloadedError('deadline'),
  waited: new OverloadedError('waited'),
};

export class RenderSlots {
  readonly #options: Required<RenderSlotsOptions>;
  /** Those who wait, by who goes first. */
  readonly #lines: Readonly<Record<Rank, Set<Waiting>>> = { personal: new Set(), shared: new Set() };
  #running = 0;
  /** Spent in renders that this turn began; undefined: it began none. */
  #spentMs: Milliseconds | undefined;
  #turn = 0;
  #turnBeganMs: Milliseconds = 0;
  /** How long the last two turns took from their first render on. */
  #turnMs: Milliseconds = 0;
  #turnBeforeMs: Milliseconds = 0;
  /** Since when the line has not been empty. */
  #lineSinceMs: Milliseconds | undefined;
  /** Averages: how long a render keeps its slot; how long after one another they end while others wait. */
  #renderMs: Milliseconds = 0;
  #gapMs: Milliseconds = 0;
  #lastEndMs: Milliseconds | undefined;
  #begun = 0;
  #queued = 0;
  #staleIfOverloaded = 0;
  readonly #shed: Record<Shed, number> = { full: 0, slow: 0, deadline: 0, waited: 0 };

  constructor(options: RenderSlotsOptions) {
    this.#options = { overloadLevel: () => 'none', nextTurn: (run) => void setImmediate(run), ...options };
  }

  get overloadLevel(): OverloadLevel {
    const { clock, overloadLevel } = this.#options;
    const since = this.#lineSinceMs;
    if (since !== undefined && !this.#areFew && clock.monotonic() - since >= STANDING_MS) return 'shed';
    return worse(overloadLevel(), this.#running >= this.#most ? 'stale' : 'none');
  }

  /** How late an event may be noticed in this loop, which has been rendering other pages: two turns. */
  get lateMs(): Milliseconds {
    return this.#turnMs + this.#turnBeforeMs;
  }

  /** A slot for a render that people wait for, if it may begin at once. */
  enterNow(): Slot | undefined {
    return this.#isFree && this.#ahead('shared') === 0 ? this.#begin() : undefined;
  }

  /**
   * The same, be it after a wait in the line: what is for one visitor goes before what is kept. It must be over at `deadlineMs` (monotonic). Throws E_OVERLOADED, and the
   * signal's reason when it aborts in the line.
   */
  async enter(deadlineMs: Milliseconds, signal: StopSignal, rank: Rank = 'shared'): Promise<Slot> {
    if (this.#isFree && this.#ahead(rank) === 0) return this.#begin();
    this.check(deadlineMs, rank);
    return this.#stand(deadlineMs, signal, rank);
  }

  /** For renders that no request waits for; each is held back before it comes here, and counted so that people see the slot taken. */
  enterBehind(): Slot {
    return this.#begin();
  }

  /** Throws E_OVERLOADED if `enter` would refuse now. Cheap: asked before anything is done for a render. */
  check(deadlineMs: Milliseconds, rank: Rank = 'shared'): void {
    const { clock, maxRunning, lineMs } = this.#options;
    if (this.#areFew || (this.#running < this.#most && this.#ahead(rank) === 0)) return;
    const waitMs = this.#waitMs(rank);
    if (this.#ahead(rank) >= PLACES_PER_SLOT * maxRunning) throw this.#refusal('full');
    if (waitMs > lineMs * (this.overloadLevel === 'shed' ? SHORT_LINE : 1)) throw this.#refusal('slow');
    if (clock.monotonic() + waitMs + this.#renderMs > deadlineMs) throw this.#refusal('deadline');
  }

  countStaleIfOverloaded(): void {
    this.#staleIfOverloaded++;
  }

  stats(): RenderSlotsStats {
    return {
      overloadLevel: this.overloadLevel,
      running: this.#running,
      maxRunning: this.#options.maxRunning,
      waiting: this.#ahead('shared'),
      waitMs: this.#ahead('shared') === 0 ? 0 : this.#waitMs('shared'),
      begun: this.#begun,
      queued: this.#queued,
      shed: { ...this.#shed },
      staleIfOverloaded: this.#staleIfOverloaded,
    };
  }

  get #most(): number {
    const { maxRunning, overloadLevel } = this.#options;
    return overloadLevel() === 'shed' ? Math.ceil(maxRunning * FEWER) : maxRunning;
  }

  get #areFew(): boolean {
    return this.#running + this.#ahead('shared') < Math.ceil(this.#options.maxRunning * FEWER);
  }

  get #isFree(): boolean {
    return this.#running < this.#most && (this.#spentMs === undefined || this.#spentMs < TURN_MS);
  }

  /** How many would begin before a request that came now. */
  #ahead(rank: Rank): number {
    const { personal, shared } = this.#lines;
    return rank === 'personal' ? personal.size : personal.size + shared.size;
  }

  /** By the pace of those before, or, while no request has waited yet, by the time a render takes. */
  #waitMs(rank: Rank): Milliseconds {
    const paceMs = this.#gapMs > 0 ? this.#gapMs : this.#renderMs / this.#most;
    return (this.#ahead(rank) + 1) * paceMs;
  }

  #begin(): Slot {
    const { clock } = this.#options;
    this.#running++;
    this.#begun++;
    const beganAtMs = clock.monotonic();
    if (this.#spentMs === undefined) this.#beginTurn(beganAtMs);
    const turn = this.#turn;
    const spentBeforeMs = this.#spentMs ?? 0;
    // Until it is known what it takes, it takes all: of renders that wait, one begins a turn. What they do after their
    // waits comes all at once where several began together, and a timer that one of them sets may be over before the loop
    // has read a single request.
    this.#spentMs = TURN_MS;
    let isOver = false;
    return {
      leave: () => {
        if (isOver) return;
        isOver = true;
        this.#running--;
        const nowMs = clock.monotonic();
        if (turn === this.#turn) this.#spentMs = spentBeforeMs + nowMs - beganAtMs;
        this.#measure(beganAtMs, nowMs);
        this.#pump();
      },
    };
  }

  #beginTurn(nowMs: Milliseconds): void {
    const { clock, nextTurn } = this.#options;
    this.#spentMs = 0;
    this.#turnBeganMs = nowMs;
    nextTurn(() => {
      this.#turn++;
      this.#spentMs = undefined;
      this.#turnBeforeMs = this.#turnMs;
      this.#turnMs = clock.monotonic() - this.#turnBeganMs;
      this.#pump();
    });
  }

  #stand(deadlineMs: Milliseconds, signal: StopSignal, rank: Rank): Promise<Slot> {
    const { clock, lineMs } = this.#options;
    const line = this.#lines[rank];
    this.#queued++;
    this.#lineSinceMs ??= clock.monotonic();
    return new Promise((resolve, reject) => {
      const out = () => {
        timer.cancel();
        signal.removeEventListener('abort', gone);
        line.delete(waiting);
        if (this.#ahead('shared') > 0) return;
        this.#lineSinceMs = undefined;
        this.#lastEndMs = undefined;
      };
      const gone = () => {
        out();
        reject(signal.reason);
      };
      const waiting: Waiting = {
        deadlineMs,
        begin: (slot) => {
          out();
          resolve(slot);
        },
        refuse: (refusal) => {
          out();
          reject(this.#refusal(refusal));
        },
      };
      const timer: Timer = clock.after(lineMs, () => {
        if (!this.#areFew) waiting.refuse('waited');
      });
      signal.addEventListener('abort', gone, { once: true });
      line.add(waiting);
    });
  }

  #pump(): void {
    this.#begins(this.#lines.personal);
    this.#begins(this.#lines.shared);
  }

  #begins(line: ReadonlySet<Waiting>): void {
    for (const waiting of line) {
      if (!this.#isFree) return;
      // Their time was eaten up by those before them: what they would be shown they would not see.
      if (this.#options.clock.monotonic() + this.#renderMs > waiting.deadlineMs) waiting.refuse('deadline');
      else waiting.begin(this.#begin());
    }
  }

  #measure(beganAtMs: Milliseconds, nowMs: Milliseconds): void {
    this.#renderMs = average(this.#renderMs, nowMs - beganAtMs);
    // Only where a request waited all the time does the gap tell how fast the queue moves.
    if (this.#lineSinceMs === undefined) return;
    if (this.#lastEndMs !== undefined) this.#gapMs = average(this.#gapMs, nowMs - this.#lastEndMs);
    this.#lastEndMs = nowMs;
  }

  #refusal(refusal: Shed): OverloadedError {
    this.#shed[refusal]++;
    return REFUSED[refusal];
  }
}

function average(before: number, newest: number): number {
  return before === 0 ? newest : before + (newest - before) * NEWEST;
}
