// What renders cost, by route template and fragment name. Renders are few beside hits, so here time is taken.
import type { Clock } from '../../core/clock.ts';
import { Histogram } from '../../core/histogram.ts';
import type { Bytes, EpochMs, Milliseconds } from '../../core/units.ts';

export interface SlowRender {
  readonly kind: 'page' | 'fragment';
  /** Route template or fragment name. */
  readonly name: string;
  readonly atMs: EpochMs;
  readonly durationMs: Milliseconds;
  /** Why it was rendered: miss, refresh, warm; `inside`: a fragment in a page. */
  readonly reason: string;
  /** Of a page: until `load` had answered. */
  readonly loadMs: Milliseconds | null;
  readonly htmlBytes: Bytes;
  /** Keys that it was made from. */
  readonly dependencies: number;
  readonly failed: boolean;
}

export type Rendered = Omit<SlowRender, 'atMs'>;

interface Renders {
  readonly durations: Histogram;
  failures: number;
  slow: number;
  htmlBytes: Bytes;
}

/** Of one fragment; `hits`, `stale` and `misses` are counted by the code that asks the cache. */
export interface FragmentUsage extends Renders {
  hits: number;
  stale: number;
  misses: number;
}

interface Component {
  calls: number;
  totalMs: Milliseconds;
}

/** Wraps the call of a component. */
export type CallWatch = (component: () => unknown) => unknown;

export interface RenderUsageOptions {
  readonly clock: Clock;
  /** Slower renders are remembered one by one. */
  readonly slowRenderMs: Milliseconds;
  /** The components of one page render in so many are timed. Default 16. */
  readonly componentSample?: number;
}

const KEPT_SLOW = 50;
/** Functions of an application have a few dozen names; one that makes names up must not fill the memory. */
const MAX_COMPONENTS = 500;
const OTHER = '(other)';

export class RenderUsage {
  readonly #clock: Clock;
  readonly #slowRenderMs: Milliseconds;
  readonly #componentSample: number;
  readonly #pages = new Map<string, Renders>();
  readonly #fragments = new Map<string, FragmentUsage>();
  readonly #components = new Map<string, Component>();
  #sampled = 0;
  /** Oldest first. */
  readonly #slow: SlowRender[] = [];
  readonly #watch: CallWatch = (component) => this.#timed(component);

  constructor({ clock, slowRenderMs, componentSample = 16 }: RenderUsageOptions) {
    this.#clock = clock;
    this.#slowRenderMs = slowRenderMs;
    this.#componentSample = componentSample;
  }

  rendered(rendered: Rendered): void {
    const { kind, name, durationMs, htmlBytes, failed } = rendered;
    const renders = kind === 'page' ? this.#page(name) : this.fragment(name);
    renders.durations.record(durationMs);
    renders.htmlBytes += htmlBytes;
    if (failed) renders.failures++;
    if (durationMs <= this.#slowRenderMs) return;
    renders.slow++;
    this.#slow.push({ ...rendered, atMs: this.#clock.now() });
    if (this.#slow.length > KEPT_SLOW) this.#slow.shift();
  }

  fragment(name: string): FragmentUsage {
    const known = this.#fragments.get(name);
    if (known !== undefined) return known;
    const usage = { ...noRenders(), hits: 0, stale: 0, misses: 0 };
    this.#fragments.set(name, usage);
    return usage;
  }

  /** For a render of a page that begins now. Mostly undefined: taking the time of each call would slow every render. */
  componentWatch(): CallWatch | undefined {
    return this.#sampled++ % this.#componentSample === 0 ? this.#watch : undefined;
  }

  stats() {
    return {
      pages: [...this.#pages].map(([route, { durations, ...rest }]) => ({
        route,
        ...rest,
        durations: durations.stats(),
      })),
      fragments: [...this.#fragments].map(([fragment, { durations, slow: _, ...rest }]) => ({
        fragment,
        ...rest,
        durations: durations.stats(),
      })),
      components: [...this.#components].map(([component, use]) => ({ component, ...use })),
      /** Newest first. */
      slowRenders: [...this.#slow].reverse(),
    };
  }

  #page(route: string): Renders {
    const known = this.#pages.get(route);
    if (known !== undefined) return known;
    const renders = noRenders();
    this.#pages.set(route, renders);
    return renders;
  }

  #timed(component: () => unknown): unknown {
    const startedMs = this.#clock.monotonic();
    try {
      return component();
    } finally {
      const use = this.#component(component.name === '' ? '(anonymous)' : component.name.slice(0, 300));
      use.calls++;
      use.totalMs += this.#clock.monotonic() - startedMs;
    }
  }

  #component(name: string): Component {
    const known = this.#components.get(name);
    if (known !== undefined) return known;
    if (this.#components.size >= MAX_COMPONENTS && name !== OTHER) return this.#component(OTHER);
    const use = { calls: 0, totalMs: 0 };
    this.#components.set(name, use);
    return use;
  }
}

function noRenders(): Renders {
  return { durations: new Histogram(), failures: 0, slow: 0, htmlBytes: 0 };
}
