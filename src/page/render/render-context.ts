import { setMaxListeners } from 'node:events';
import type { CacheKey } from '../../cache/contract.ts';
import type { FragmentEntry } from '../../cache/entry.ts';
import { abortSignalOf, type StopSignal } from '../../core/stop.ts';
import type { DependencyKey, EpochMs, Milliseconds, Stamp } from '../../core/units.ts';
import type { KeyRecorder } from '../../core/validity.ts';
import type { Db } from '../../data/db.ts';
import type { GiveReading, Reading } from '../definitions/page.ts';
import { type FailedRead, RenderKeys } from './dependency-recorder.ts';
import type { HoleMarks } from './hole-marks.ts';
import { notedFetch } from './noted-fetch.ts';
import type { CallWatch } from './usage.ts';

/** Where a render's reads come from; `Database` of data/ is one. */
export interface ReadScopes {
  readScope(options: {
    readonly signal: AbortSignal;
    readonly keyRecorder: KeyRecorder;
    /** Settings of the database for each statement. */
    readonly local?: Readonly<Record<string, string>> | undefined;
  }): Db;
}

/** What every render of a worker shares. */
export interface Sources {
  readonly readScopes: ReadScopes;
  readonly fetch: typeof globalThis.fetch;
  /** The dependencies that the application declares: what is made from a key is made from its sources, too. */
  readonly declared?: { sources(keys: readonly DependencyKey[]): readonly DependencyKey[] };
}

export interface RenderContextStart {
  readonly stamp: Stamp;
  readonly signal: StopSignal;
  /** Now: before the first read. */
  readonly nowMs: EpochMs;
  /** For one visitor: what is told of it quotes nothing. */
  readonly personal?: boolean;
  /** The keys of the fragments around this one, outermost first; [] for a page. */
  readonly inside?: readonly CacheKey[];
}

type Piece = Pick<FragmentEntry, 'keys' | 'scripts' | 'assets' | 'createdMs' | 'incomplete'>;

/** One render, of a page or of a fragment: what it may read with, and what it turned out to depend on. */
export class RenderContext {
  readonly stamp: Stamp;
  readonly signal: StopSignal;
  readonly inside: readonly CacheKey[];
  readonly personal: boolean;
  /** What is measured of it. */
  readonly measured: { loadedAtMs?: Milliseconds; watch?: CallWatch | undefined } = {};
  /** Hashes of the inline scripts in it, those of the fragments inside included: what its policy vouches for. */
  readonly scripts = new Set<string>();
  /** The files of public/ that were named in it, those of the fragments inside included: their hashed names. */
  readonly assets = new Set<string>();
  /** It has asked another service. */
  asksOthers = false;
  /** The holes that were placed in it. Undefined: none. */
  holes: HoleMarks | undefined = undefined;
  readonly #keys = new RenderKeys();
  readonly #sources: Sources;
  #platformSignal: AbortSignal | undefined;
  #freshUntilMs: EpochMs = Number.POSITIVE_INFINITY;
  #sinceMs: EpochMs;
  #hasIncomplete = false;

  constructor({ stamp, signal, nowMs, inside = [], personal = false }: RenderContextStart, sources: Sources) {
    this.stamp = stamp;
    this.#sources = sources;
    this.#sinceMs = nowMs;
    this.signal = signal;
    this.inside = inside;
    this.personal = personal;
  }

  /** The means to read, with what else a `load` is given. Each is made when it is asked for. */
  readonly reading: GiveReading = (more) => {
    const { readScopes, fetch } = this.#sources;
    const keys = this.#keys;
    const renderContext = this;
    const signal = () => this.#signal();
    let db: Db | undefined;
    let ownFetch: typeof globalThis.fetch | undefined;
    const means: Reading = {
      get db() {
        db ??= readScopes.readScope({ signal: signal(), keyRecorder: keys });
        return db;
      },
      get signal() {
        return signal();
      },
      dependsOn: (...names: string[]) => {
        for (const name of names) keys.add(name);
      },
      get fetch() {
        ownFetch ??= notedFetch(boundFetch(fetch, signal()), keys, () => {
          renderContext.asksOthers = true;
        });
        return ownFetch;
      },
    };
    return Object.assign(means, more);
  };

  #signal(): AbortSignal {
    if (this.#platformSignal === undefined) {
      this.#platformSignal = abortSignalOf(this.signal);
      // One render may well wait for more than ten things at once; each listens to the signal.
      setMaxListeners(0, this.#platformSignal);
    }
    return this.#platformSignal;
  }

  /** The closure: with those of the fragments inside, and all that these depend on as declared. */
  get keys(): readonly DependencyKey[] {
    const { keys } = this.#keys;
    const closed = this.#sources.declared?.sources(keys) ?? keys;
    return closed.length === keys.length ? keys : Object.freeze([...closed].sort());
  }

  /** What was read that no purge will tell of. */
  get untracked(): readonly string[] {
    return this.#keys.reasons;
  }

  /** Call it when `load` has returned, and at the end of the render: what is still being read by then is missing. */
  settle(): void {
    this.#keys.settle();
  }

  /** Its own reads that failed or were not waited for. */
  get failed(): readonly FailedRead[] {
    return this.#keys.failed;
  }

  /** A read of it, or of a fragment inside, failed or was not waited for. */
  get isIncomplete(): boolean {
    return this.#hasIncomplete || this.failed.length > 0;
  }

  /** No longer than the shortest-lived fragment inside. Infinity without fragments. */
  get freshUntilMs(): EpochMs {
    return this.#freshUntilMs;
  }

  /** When the first read was about to be made of all that is in it, fragments included. */
  get sinceMs(): EpochMs {
    return this.#sinceMs;
  }

  /** Takes over what a piece inside depends on: a page's keys are the closure. */
  include({ keys, scripts = [], assets = [], createdMs, incomplete }: Piece, freshUntilMs: EpochMs): void {
    for (const key of keys) this.#keys.add(key);
    for (const script of scripts) this.scripts.add(script);
    for (const asset of assets) this.assets.add(asset);
    this.#freshUntilMs = Math.min(this.#freshUntilMs, freshUntilMs);
    this.#sinceMs = Math.min(this.#sinceMs, createdMs);
    if (incomplete === true) this.#hasIncomplete = true;
  }
}

/** As the platform's, and stopped by `signal`, too. */
export function boundFetch(fetch: typeof globalThis.fetch, signal: AbortSignal): typeof globalThis.fetch {
  return (input, init) => {
    const own = init?.signal;
    return fetch(input, { ...init, signal: own == null ? signal : AbortSignal.any([own, signal]) });
  };
}
