// Which worker each slot is to have, and what to do next to get there. Pure: no process, no timer, no promise; slots.ts
// carries out what this says.
//
// A generation is a number. A worker has the number that counted when it was forked: it has read the code and was given
// the settings of that moment. A wish (a reload, other settings, the drain of one slot) raises the number that is wanted,
// of all slots or of one. That is all a wish does, so it can come at any moment, as often as it likes, and none is lost:
//
//   empty       no worker. One is started, of what is wanted now, at once or when the backoff is over
//   starting    its worker boots. It is let be, even if a newer one is wanted by now: any worker is better than none
//   serving     and of the wanted generation: nothing to do
//   outdated    serving, and older than wanted. In turn, one slot at a time, a candidate starts beside it
//   replacing   the candidate boots. When it serves, it takes the slot and the old worker drains. When a newer
//               generation is wanted meanwhile, the candidate is ended and another one started: the last wish wins
//   shaken      serving after an uncaught exception. Its connections go to others as soon as one serves; the
//               last server of a host goes on until its successor serves
//
// A worker that ends before it served refuses its generation: wishes up to it are answered with the reason, and slots
// that serve keep what they have until the next wish. Two things are tried again, after a backoff: wishes that must come
// true (other settings), for as long as it takes, and a start that was killed from outside, KILLED_TRIES times.
//
// A wish is answered once: when every slot it concerns serves its generation and no older worker takes connections, when
// its generation is refused, or when the server stops.
import type { Milliseconds } from '../../core/units.ts';
import { backoffMs } from './backoff.ts';

/** After serving this long a worker counts as sound, whatever its slot went through before. */
const HEALTHY_AFTER_MS: Milliseconds = 60_000;
const KILLED_TRIES = 3;

type Generation = number;

export interface Member {
  readonly id: number;
  readonly slot: number;
  readonly generation: Generation;
  hasServed: boolean;
  isShaken: boolean;
}

export interface Place {
  readonly slot: number;
  /** It has the slot: it boots or serves. */
  current: Member | undefined;
  /** It boots beside `current`. */
  candidate: Member | undefined;
  /** Of this slot and not gone yet, while they may still take connections. */
  readonly leaving: Set<Member>;
  /** Of this slot alone. */
  wanted: Generation;
  /** Nothing is started before. */
  startAtMs: Milliseconds;
  deaths: number;
  deathsInRow: number;
  bootFailures: number;
  lastEnding: string;
}

/** How a worker was lost. */
export interface Loss {
  /** In its own words where it left some. */
  readonly ending: string;
  readonly servingMs: Milliseconds;
  /** By a signal that was not ours: it says nothing about the build. */
  readonly isKilled: boolean;
}

export type Outcome = { readonly reached: true } | { readonly reached: false; readonly why: string };

export type Step =
  | { readonly do: 'start'; readonly member: Member }
  | { readonly do: 'drain' | 'end'; readonly member: Member }
  | { readonly do: 'wait'; readonly slot: number; readonly delayMs: Milliseconds }
  | { readonly do: 'answer'; readonly wish: number; readonly outcome: Outcome };

interface Wish {
  readonly id: number;
  readonly generation: Generation;
  /** Undefined: all. */
  readonly slot: number | undefined;
}

export class Generations {
  readonly places: readonly Place[];
  readonly #random: () => number;
  #generation: Generation = 1;
  /** Older workers have settings that are wrong by now. */
  #required: Generation = 1;
  #refused: Generation = 0;
  /** Whether a worker of this generation was forked: what changes from now on, it has not seen. */
  #isForked = true;
  #retryAtMs: Milliseconds = 0;
  #tries = 0;
  /** Before the start, wishes are taken, and nothing is forked. */
  #isStarted = false;
  #phase: 'open' | 'frozen' | 'ending' = 'open';
  #lastId = 0;
  readonly #wishes = new Map<number, Wish>();
  #due: Step[] = [];

  constructor(slots: number, random: () => number) {
    this.#random = random;
    this.places = Array.from({ length: slots }, (_, slot) => ({
      slot,
      current: undefined,
      candidate: undefined,
      leaving: new Set(),
      wanted: 1,
      startAtMs: 0,
      deaths: 0,
      deathsInRow: 0,
      bootFailures: 0,
      lastEnding: '',
    }));
  }

  start(): void {
    this.#isStarted = true;
  }

  /** Whether a caller waits for a wish, or a slot will be given a newer worker. */
  get isReplacing(): boolean {
    return (
      this.#phase === 'open' && (this.#wishes.size > 0 || this.places.some((one) => this.#mayReplace(one)))
    );
  }

  /** Of one slot, or of all. Its number comes back in the step that answers it. */
  wish({ slot, isRequired = false }: { slot?: number | undefined; isRequired?: boolean } = {}): number {
    if (this.#isForked) this.#generation += 1;
    this.#isForked = false;
    this.#retryAtMs = 0;
    this.#tries = 0;
    for (const place of this.places) {
      if (slot !== undefined && slot !== place.slot) continue;
      place.wanted = this.#generation;
      place.startAtMs = 0;
    }
    if (isRequired) this.#required = this.#generation;
    const id = ++this.#lastId;
    this.#wishes.set(id, { id, generation: this.#generation, slot });
    if (this.#phase !== 'open') this.#answerAll(STOPPING);
    return id;
  }

  served(member: Member): void {
    const place = this.#placeOf(member);
    if (place.current !== member && place.candidate !== member) return;
    member.hasServed = true;
    place.bootFailures = 0;
    this.#tries = 0;
    if (place.candidate !== member) return;
    const old = place.current;
    place.candidate = undefined;
    place.current = member;
    if (old !== undefined) this.#leave(old, 'drain');
  }

  /** An uncaught exception. */
  shaken(member: Member, nowMs: Milliseconds): void {
    const place = this.#placeOf(member);
    if (place.current !== member || member.isShaken) return;
    member.isShaken = true;
    place.deaths += 1;
    this.#backOff(place, true, nowMs);
  }

  /** It will not serve again: it is gone, wedged, or leaves by itself. Safe to say more than once: false if it was known. */
  lost(member: Member, loss: Loss, nowMs: Milliseconds): boolean {
    const place = this.#placeOf(member);
    if (place.candidate !== member && place.current !== member) return false;
    if (place.current === member) place.current = place.candidate;
    place.candidate = undefined;
    place.leaving.add(member);
    place.lastEnding = loss.ending;
    if (!member.isShaken) place.deaths += 1;
    if (loss.servingMs >= HEALTHY_AFTER_MS) place.deathsInRow = 0;
    if (lacksWorker(place) && !member.isShaken) this.#backOff(place, member.hasServed, nowMs);
    if (!member.hasServed) this.#notStarted(place, member, loss, nowMs);
    return true;
  }

  /** It takes no connection any more: it said so, or is gone. */
  closed(member: Member): void {
    this.#placeOf(member).leaving.delete(member);
  }

  /** Nothing is replaced any more; what dies is. */
  freeze(): void {
    if (this.#phase === 'open') this.#phase = 'frozen';
    this.#answerAll(STOPPING);
  }

  /** Everything leaves, and nothing is started any more. */
  end(): void {
    this.freeze();
    this.#phase = 'ending';
    this.#due = this.#due.filter((step) => step.do !== 'wait');
    for (const place of this.places) {
      const { current, candidate } = place;
      place.current = undefined;
      place.candidate = undefined;
      for (const member of [current, candidate])
        if (member !== undefined) this.#leave(member, member.hasServed ? 'drain' : 'end');
    }
  }

  /** What is to be done now; the same question a moment later has the answer `[]`. */
  next(nowMs: Milliseconds): Step[] {
    if (this.#isStarted && this.#phase !== 'ending')
      for (const place of this.places) this.#fill(place, nowMs);
    if (this.#phase === 'open') this.#replace(nowMs);
    for (const wish of this.#wishes.values())
      if (this.#isReached(wish)) this.#answer(wish, { reached: true });
    const due = this.#due;
    this.#due = [];
    return due;
  }

  /** In so long `next` has something to do though nothing has happened; undefined: never. */
  wakeInMs(nowMs: Milliseconds): Milliseconds | undefined {
    if (!this.#isStarted || this.#phase === 'ending') return undefined;
    const times = this.places.filter((place) => lacksWorker(place)).map(({ startAtMs }) => startAtMs);
    if (this.places.some((place) => this.#mayReplace(place))) times.push(this.#retryAtMs);
    const waits = times.map((atMs) => atMs - nowMs).filter((ms) => ms > 0);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  #fill(place: Place, nowMs: Milliseconds): void {
    const { current } = place;
    if (current?.isShaken === true && this.#servesElsewhere(place)) {
      place.current = place.candidate;
      place.candidate = undefined;
      this.#leave(current, 'drain');
    }
    if (lacksWorker(place) && nowMs >= place.startAtMs) this.#start(place);
  }

  #replace(nowMs: Milliseconds): void {
    for (const place of this.places) {
      const { candidate, wanted } = place;
      if (candidate === undefined || candidate.generation >= wanted) continue;
      place.candidate = undefined;
      this.#leave(candidate, 'end');
    }
    if (nowMs < this.#retryAtMs || this.places.some(({ candidate }) => candidate !== undefined)) return;
    const outdated = this.places.find((place) => this.#mayReplace(place));
    if (outdated !== undefined) this.#start(outdated);
  }

  /** It serves, is outdated, and what is wanted instead was not refused or must come true all the same. */
  #mayReplace({ current, candidate, wanted }: Place): boolean {
    if (current === undefined || !current.hasServed || candidate !== undefined) return false;
    if (current.generation >= wanted) return false;
    return wanted > this.#refused || current.generation < this.#required;
  }

  #start(place: Place): void {
    const member = {
      id: ++this.#lastId,
      slot: place.slot,
      generation: this.#generation,
      hasServed: false,
      isShaken: false,
    };
    this.#isForked = true;
    if (place.current === undefined) place.current = member;
    else place.candidate = member;
    this.#due.push({ do: 'start', member });
  }

  #leave(member: Member, how: 'drain' | 'end'): void {
    this.#placeOf(member).leaving.add(member);
    this.#due.push({ do: how, member });
  }

  #backOff(place: Place, hasServed: boolean, nowMs: Milliseconds): void {
    const isFirst = place.deathsInRow === 0;
    const delayMs = hasServed && isFirst ? 0 : backoffMs(place.deathsInRow, this.#random);
    place.deathsInRow += 1;
    place.startAtMs = nowMs + delayMs;
    this.#due.push({ do: 'wait', slot: place.slot, delayMs });
  }

  #notStarted(place: Place, { generation }: Member, { ending, isKilled }: Loss, nowMs: Milliseconds): void {
    place.bootFailures += 1;
    this.#tries += 1;
    this.#retryAtMs = nowMs + backoffMs(this.#tries, this.#random);
    if (isKilled && this.#tries < KILLED_TRIES) return;
    this.#refused = Math.max(this.#refused, generation);
    const why = `slot ${place.slot}: the new worker did not become ready: ${ending}`;
    for (const wish of this.#wishes.values())
      if (wish.generation <= generation) this.#answer(wish, { reached: false, why });
  }

  #isReached({ generation, slot }: Wish): boolean {
    const concerned = slot === undefined ? this.places : this.places.filter((place) => place.slot === slot);
    return concerned.every(
      ({ current, leaving }) =>
        current?.hasServed === true &&
        current.generation >= generation &&
        [...leaving].every((old) => old.generation >= generation),
    );
  }

  #answerAll(outcome: Outcome): void {
    for (const wish of this.#wishes.values()) this.#answer(wish, outcome);
  }

  #answer(wish: Wish, outcome: Outcome): void {
    this.#wishes.delete(wish.id);
    this.#due.push({ do: 'answer', wish: wish.id, outcome });
  }

  #servesElsewhere(place: Place): boolean {
    return this.places.some(
      (one) => one !== place && one.current?.hasServed === true && !one.current.isShaken,
    );
  }

  #placeOf({ slot }: Member): Place {
    const place = this.places[slot];
    if (place === undefined) throw new RangeError(`there is no slot ${slot}`);
    return place;
  }
}

const STOPPING: Outcome = { reached: false, why: 'the server stops' };

/** No worker is in it, or one that must go, and none is coming. */
function lacksWorker({ current, candidate }: Place): boolean {
  return candidate === undefined && (current === undefined || current.isShaken);
}
