// GET /explain?url=: which statement gave which key. Nothing of that is kept with an entry, since it would cost every render
// and every page in memory; so the page is rendered once more, with its fragments, by sessions that take notes. The result
// is thrown away. What it shows is how the page would be made now.
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { DependencyKey, Milliseconds, Stamp } from '../../core/units.ts';
import type { KeyRecorder } from '../../core/validity.ts';
import { excerpt } from '../../data/errors.ts';
import { meaningOf } from '../../data/keys/meaning.ts';
import { parseTarget } from '../../http/request/target.ts';
import type { Application } from '../../page/application/application.ts';
import { Fragments } from '../../page/render/fragments.ts';
import type { Sources } from '../../page/render/render-context.ts';
import { PageRenderer } from '../../page/render/renderer.ts';
import type { PagePipeline } from '../../page/request/pipeline.ts';

export interface ExplainedWhy {
  readonly keys: readonly {
    readonly key: DependencyKey;
    readonly meaning: string;
    /** Statements, abridged; or `dependsOn()`, `addDependency()`. */
    readonly from: readonly string[];
  }[];
  /** What was read that no purge tells of: with any of these the page lives by its ttl. */
  readonly untracked: readonly string[];
  readonly renderMs: Milliseconds;
}

export interface WhyParts {
  readonly pipeline: Pick<PagePipeline, 'locate'>;
  readonly application: Application;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stamp: () => Stamp;
}

/** Shorter than the operations port waits. */
const RENDER_WITHIN_MS: Milliseconds = 4_000;
const MAX_KEYS = 2_000;

/** Undefined where no page answers. A page that fails says so in `error`. */
export async function explainWhy(
  url: string,
  { pipeline, application, sources, clock, log, stamp }: WhyParts,
): Promise<ExplainedWhy | { readonly error: string } | undefined> {
  const target = parseTarget(url, undefined);
  if (target.kind !== 'target') return undefined;
  const place = await pipeline.locate({ ...target, header: () => undefined });
  if (place === undefined) return undefined;
  const notes = new Notes();
  const noting: Sources = {
    ...sources,
    readScopes: {
      readScope: ({ signal, keyRecorder }) =>
        sources.readScopes.readScope({ signal, keyRecorder: notes.beside(keyRecorder) }),
    },
  };
  const timeouts = { hardTimeoutMs: RENDER_WITHIN_MS, softTimeoutMs: RENDER_WITHIN_MS };
  // Without a cache: a fragment that is kept would say nothing of its statements.
  const fragments = new Fragments({ build: application.build, sources: noting, clock, timeouts });
  const renderer = new PageRenderer({ application, sources: noting, fragments, clock, log });
  const startedAt = clock.monotonic();
  const { route, inputs } = place.refreshable;
  const signal = AbortSignal.timeout(RENDER_WITHIN_MS);
  try {
    const { value } = await renderer.fill(route, inputs, { stamp: stamp(), signal, reason: 'warm' });
    const declared = new Set(sources.declared?.sources([...notes.keys()]));
    const keys = value.keys.slice(0, MAX_KEYS).map((key) => {
      const from = notes.of(key) ?? [declared.has(key) ? 'addDependency()' : 'dependsOn()'];
      return { key, meaning: meaningOf(key), from };
    });
    const renderMs = Math.round((clock.monotonic() - startedAt) * 10) / 10;
    return { keys, untracked: notes.untracked, renderMs };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

class Notes {
  readonly #from = new Map<DependencyKey, Set<string>>();
  readonly #untracked = new Set<string>();

  get untracked(): readonly string[] {
    return [...this.#untracked];
  }

  keys(): Iterable<DependencyKey> {
    return this.#from.keys();
  }

  of(key: DependencyKey): readonly string[] | undefined {
    const from = this.#from.get(key);
    return from && [...from];
  }

  beside(keyRecorder: KeyRecorder, statement = 'a read by its key'): KeyRecorder {
    return {
      add: (key) => {
        this.#from.set(key, (this.#from.get(key) ?? new Set()).add(statement));
        keyRecorder.add(key);
      },
      untracked: (why) => {
        this.#untracked.add(why);
        keyRecorder.untracked(why);
      },
      of: (sql) => this.beside(keyRecorder, excerpt(sql)),
    };
  }
}
