// Fragments at work: from a call in the tree to its HTML, out of the cache where there is one.

import type { Cache, CacheKey, FillContext, Filled } from '../../cache/contract.ts';
import { type FragmentEntry, INCOMPLETE_TTL_MS } from '../../cache/entry.ts';
import { fragmentKey } from '../../cache/key.ts';
import type { Clock } from '../../core/clock.ts';
import { inEmptyContext } from '../../core/empty-context.ts';
import { andThen, type Eventually, finishing } from '../../core/eventually.ts';
import { type Tracing, untraced } from '../../core/trace.ts';
import type { UnheardRejections } from '../../core/unheard-rejections.ts';
import type { EpochMs, Milliseconds } from '../../core/units.ts';
import type { FragmentCall } from '../../render/fragment-call.ts';
import { render } from '../../render/render.ts';
import { scriptHash } from '../definitions/content-security.ts';
import type { FragmentUse } from '../definitions/fragment.ts';
import { HoleUse } from '../definitions/hole.ts';
import { FragmentError, HoleError } from '../errors.ts';
import type { Timeouts } from '../timeouts.ts';
import type { FailedReads } from './failed-reads.ts';
import type { RenderNotices } from './notices.ts';
import { RenderContext, type Sources } from './render-context.ts';
import type { RenderUsage } from './usage.ts';

const DEFAULT_TTL_MS: Milliseconds = 60_000;

export interface FragmentsOptions {
  readonly build: string;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly timeouts: Timeouts;
  /** Without one each fragment is rendered with the page around it. */
  readonly cache?: Cache<FragmentEntry> | undefined;
  readonly usage?: RenderUsage | undefined;
  readonly failedReads?: FailedReads;
  readonly rejections?: UnheardRejections | undefined;
  /** Told of what was left out of their HTML. */
  readonly notices?: RenderNotices;
  readonly trace?: Tracing;
}

type FragmentRender = Pick<FillContext, 'stamp' | 'signal'> & {
  /** `inside`: for the page around it, kept nowhere else. */
  readonly reason: FillContext['reason'] | 'inside';
};

const COUNTED_AS = { hit: 'hits', stale: 'stale', miss: 'misses' } as const;

export class Fragments {
  readonly #options: FragmentsOptions;
  readonly #trace: Tracing;
  /** Fragments by name, to refuse a second one of the same name: they would share their HTML. */
  readonly #identities = new Map<string, object>();

  constructor(options: FragmentsOptions) {
    this.#options = options;
    this.#trace = options.trace ?? untraced;
  }

  /** What the renderer asks for the HTML of the fragments in `scope`'s tree: at once where memory has it. */
  resolver(renderContext: RenderContext): (call: FragmentCall) => Eventually<string> {
    return (call) => {
      if (call.content instanceof HoleUse)
        throw new HoleError(
          `The hole '${call.content.hole.name}' stands inside a fragment, whose HTML is the same for all. Put it into the page or the layout.`,
        );
      return this.#resolve(call.content as FragmentUse, renderContext);
    };
  }

  /** Its HTML where memory has it, valid now. Undefined: it would have to be made. */
  inMemory(call: FragmentCall, around: RenderContext): string | undefined {
    const use = call.content as FragmentUse;
    const { build, cache } = this.#options;
    const ready = cache?.peek(fragmentKey({ build, name: use.name, key: use.key }));
    if (ready === undefined) return undefined;
    around.include(ready, ready.freshUntilMs);
    return ready.html;
  }

  #resolve(use: FragmentUse, around: RenderContext): Eventually<string> {
    const { build, cache, usage } = this.#options;
    this.#assertOneOfName(use);
    const key = fragmentKey({ build, name: use.name, key: use.key });
    if (around.inside.includes(key)) {
      throw new FragmentError(`The fragment '${use.name}' stands inside itself with the same key.`);
    }
    if (cache === undefined || ttlOf(use) === 0) return this.#renderWith(use, key, around);
    const ready = cache.peek(key);
    if (ready === undefined) return this.#fetch(use, key, around, cache);
    if (usage !== undefined) usage.fragment(use.name).hits++;
    this.#include(ready, ready.freshUntilMs, around);
    return ready.html;
  }

  /** As a part of the page around it, kept nowhere else. */
  #renderWith(use: FragmentUse, key: CacheKey, around: RenderContext): Eventually<string> {
    const { stamp, signal } = around;
    const rendered = this.#render(use, [...around.inside, key], { stamp, signal, reason: 'inside' });
    return andThen(rendered, ({ value }) => {
      around.include(value, ttlOf(use) === 0 ? Number.POSITIVE_INFINITY : value.freshUntilMs);
      return value.html;
    });
  }

  #fetch(
    use: FragmentUse,
    key: CacheKey,
    around: RenderContext,
    cache: Cache<FragmentEntry>,
  ): Eventually<string> {
    const { timeouts, clock, usage } = this.#options;
    const { hardTimeoutMs, softTimeoutMs } = timeouts;
    const options = { group: use.name, signal: around.signal, hardTimeoutMs, softTimeoutMs };
    const fetched = cache.fetch(key, options, (context) =>
      this.#render(use, [...around.inside, key], context),
    );
    return andThen(fetched, (outcome) => {
      if (usage !== undefined) usage.fragment(use.name)[COUNTED_AS[outcome.result]]++;
      // A page around a stale piece is stale from the start: it is served, and made again.
      const freshUntilMs: EpochMs = outcome.result === 'stale' ? clock.now() : outcome.value.freshUntilMs;
      this.#include(outcome.value, freshUntilMs, around);
      return outcome.value.html;
    });
  }

  /**
   * Where the wall clock was set back since the piece was made its times lie in the future. The page must not live for
   * so much longer: it takes them for a whole lifetime of the piece, and the piece for as old as it can be.
   */
  #include(entry: FragmentEntry, freshUntilMs: EpochMs, around: RenderContext): void {
    const nowMs = this.#options.clock.now();
    if (entry.createdMs <= nowMs) {
      around.include(entry, freshUntilMs);
      return;
    }
    const lifeMs = entry.freshUntilMs - entry.createdMs;
    const createdMs = Math.max(0, nowMs - lifeMs);
    around.include({ ...entry, createdMs }, Math.min(freshUntilMs, nowMs + lifeMs));
  }

  /** What it is made from is its key, whichever page asks: nothing of the async context around it, either. */
  #render(
    use: FragmentUse,
    inside: readonly CacheKey[],
    context: FragmentRender,
  ): Eventually<Filled<FragmentEntry>> {
    return inEmptyContext(this.#trace, () => this.#traced(use, inside, context));
  }

  #traced(
    use: FragmentUse,
    inside: readonly CacheKey[],
    context: FragmentRender,
  ): Eventually<Filled<FragmentEntry>> {
    if (!this.#trace.isOn) return this.#counted(use, inside, context);
    const attributes = { 'coherent.fragment': use.name, 'coherent.render.reason': context.reason };
    const apart = context.reason === 'refresh' || context.reason === 'warm';
    return this.#trace.span({ name: `fragment ${use.name}`, kind: 'internal', attributes, apart }, () =>
      this.#counted(use, inside, context),
    );
  }

  #counted(
    use: FragmentUse,
    inside: readonly CacheKey[],
    context: FragmentRender,
  ): Eventually<Filled<FragmentEntry>> {
    const { clock, usage, rejections } = this.#options;
    const startedMs = clock.monotonic();
    const place = `fragment ${use.name}`;
    const ended = (filled: Filled<FragmentEntry> | undefined) => {
      rejections?.ended(place);
      usage?.rendered({
        kind: 'fragment',
        name: use.name,
        durationMs: clock.monotonic() - startedMs,
        reason: context.reason,
        loadMs: null,
        htmlBytes: filled?.value.html.length ?? 0,
        dependencies: filled?.value.keys.length ?? 0,
        failed: filled === undefined,
      });
    };
    rejections?.began(place);
    return finishing(() => this.#build(use, inside, context), ended);
  }

  /** One render with a context of its own. */
  #build(
    use: FragmentUse,
    inside: readonly CacheKey[],
    { stamp, signal }: FragmentRender,
  ): Eventually<Filled<FragmentEntry>> {
    const { clock, sources, notices } = this.#options;
    const renderContext = new RenderContext({ stamp, signal, inside, nowMs: clock.now() }, sources);
    const html = andThen(use.build(renderContext.reading), ({ node }) => {
      renderContext.settle();
      return render(node, {
        resolveFragment: this.resolver(renderContext),
        signal,
        tell: notices?.of(`fragment ${use.name}`),
        onScript: (text) => renderContext.scripts.add(scriptHash(text)),
      });
    });
    return andThen(html, (done) => {
      const value = this.#entry(use, renderContext, done);
      return renderContext.asksOthers ? { value, store: true, cost: 'dear' } : { value, store: true };
    });
  }

  #entry(use: FragmentUse, renderContext: RenderContext, html: string): FragmentEntry {
    const { clock, failedReads } = this.#options;
    renderContext.settle();
    failedReads?.tell(`fragment ${use.name}`, renderContext.failed);
    const { isIncomplete } = renderContext;
    const ttlMs = isIncomplete ? Math.min(ttlOf(use), INCOMPLETE_TTL_MS) : ttlOf(use);
    const freshUntilMs = Math.min(clock.now() + ttlMs, renderContext.freshUntilMs);
    return Object.freeze({
      html,
      ...(renderContext.scripts.size > 0 && { scripts: Object.freeze([...renderContext.scripts]) }),
      ...(renderContext.assets.size > 0 && { assets: Object.freeze([...renderContext.assets]) }),
      keys: renderContext.keys,
      stamp: renderContext.stamp,
      createdMs: renderContext.sinceMs,
      freshUntilMs,
      staleUntilMs: freshUntilMs + (isIncomplete ? 0 : (use.policy.staleWhileRevalidateMs ?? 0)),
      errorUntilMs: freshUntilMs,
      ...(isIncomplete && { incomplete: true as const }),
    });
  }

  #assertOneOfName({ name, identity }: FragmentUse): void {
    const known = this.#identities.get(name) ?? identity;
    if (known !== identity) {
      throw new FragmentError(
        `Two fragments are called '${name}'. Give one of them another name: it names the HTML they share.`,
      );
    }
    this.#identities.set(name, identity);
  }
}

function ttlOf({ policy }: FragmentUse): Milliseconds {
  return policy.ttlMs ?? DEFAULT_TTL_MS;
}
