// Fills the holes of a page for one visitor. All of them begin at once; each ends in its bytes or, when it fails, takes too
// long, is too large or there is no room, in its fallback: the page around them stands whatever they do.
import type { EntryHole, PageEntry } from '../../cache/entry.ts';
import type { Clock } from '../../core/clock.ts';
import type { Eventually } from '../../core/eventually.ts';
import type { Logger } from '../../core/log.ts';
import { abortSignalOf, Stop, type StopSignal } from '../../core/stop.ts';
import type { Stamp } from '../../core/units.ts';
import type { Node } from '../../render/element.ts';
import type { Notice } from '../../render/notice.ts';
import { renderToBuffer } from '../../render/render.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import { declaredHole, type Hole } from '../definitions/hole.ts';
import { HoleError } from '../errors.ts';
import type { Fragments } from '../render/fragments.ts';
import { insideHole, scriptInHole } from '../render/hole-marks.ts';
import { propsOf } from '../render/hole-props.ts';
import type { RenderNotices } from '../render/notices.ts';
import { RenderContext, type Sources } from '../render/render-context.ts';
import { visitorDb, visitorReadScopes } from '../render/visitor-db.ts';
import { bringsCookie } from './brings-cookie.ts';
import { FailureLog } from './failure-log.ts';
import { HoleVisitor } from './hole-visitor.ts';

export interface HoleFillerOptions {
  readonly sources: Sources;
  readonly fragments: Fragments;
  readonly clock: Clock;
  readonly log: Logger;
  readonly notices?: RenderNotices | undefined;
  /** Write what failures of code that sees a visitor say. Default false. */
  readonly personalErrors?: boolean;
  /** So many are filled at once in this worker; beyond, fallbacks are shown. Default 256. */
  readonly maxFilling?: number;
}

export interface FillRequest {
  readonly arrival: Arrival;
  /** The template, for the log. */
  readonly route: string;
  /** Names the request in the log. */
  readonly id: () => string;
  /** Aborts when the visitor is gone. */
  readonly signal: StopSignal;
}

/** A hole of a page, and a visitor that it is filled for. */
export interface Recognised {
  readonly entry: PageEntry;
  readonly hole: Hole;
  readonly place: EntryHole;
  readonly visitor: HoleVisitor;
  readonly request: FillRequest;
}

/** A hole that is being filled, and what comes into its place. Never rejects. */
export interface Filling {
  readonly hole: EntryHole;
  readonly html: Promise<Buffer>;
}

const MAX_FILLING = 256;
const NO_STAMP: Stamp = Object.freeze({ epoch: '', seq: 0 });

export class HoleFiller {
  readonly #options: HoleFillerOptions;
  readonly #failures: FailureLog;
  readonly #counts = { filled: 0, fallback: 0, timeout: 0, tooLarge: 0, refused: 0 };
  #running = 0;

  constructor(options: HoleFillerOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options);
  }

  stats() {
    return { ...this.#counts, running: this.#running };
  }

  /** Whether a visitor who sends this Cookie header may see another page than those who send none. */
  concerns({ holes = [] }: Pick<PageEntry, 'holes'>, cookie: string | undefined): boolean {
    return (
      cookie !== undefined &&
      holes.some(({ name }) => bringsCookie(cookie, declaredHole(name)?.cookies ?? []))
    );
  }

  /**
   * The holes that are this visitor's, in the order of the page: they bring a session that counts, or a cookie that the hole
   * reads. The others stay as they are. Begins none of them.
   */
  async recognise(entry: PageEntry, request: FillRequest): Promise<readonly Recognised[]> {
    const { arrival } = request;
    const isSettled = await this.#settle(request);
    return (entry.holes ?? []).flatMap((each): Recognised[] => {
      const hole = declaredHole(each.name);
      if (hole === undefined) return [];
      const visitor = new HoleVisitor(hole, arrival.reading, isSettled);
      return visitor.isKnown ? [{ entry, hole, place: each, visitor, request }] : [];
    });
  }

  /** Begins all of them. */
  fill(recognised: readonly Recognised[]): readonly Filling[] {
    return recognised.map((each) => ({ hole: each.place, html: this.#filled(each) }));
  }

  /** False: whether their session is valid could not be found out. Nobody is let in by an error. */
  async #settle(request: FillRequest): Promise<boolean> {
    const { sources } = this.#options;
    const { arrival, signal } = request;
    try {
      await arrival.settle(() => visitorDb(sources.readScopes, abortSignalOf(signal)));
      return true;
    } catch (error) {
      this.#tell(error, 'session', request);
      return false;
    }
  }

  async #filled(recognised: Recognised): Promise<Buffer> {
    const { hole, place, entry, visitor, request } = recognised;
    try {
      const { maxFilling = MAX_FILLING } = this.#options;
      if (this.#running >= maxFilling) {
        this.#counts.refused++;
        throw new HoleError(`${maxFilling} holes are being filled in this worker; this one is not begun.`);
      }
      const { load, view } = hole.definition;
      const html = await this.#within(recognised, async (renderContext, props) => {
        const data = load === undefined ? props : await load(visitor.context(renderContext.reading, props));
        return { node: view(data) };
      });
      this.#counts.filled++;
      return html;
    } catch (error) {
      this.#counts.fallback++;
      if (!request.signal.aborted) this.#tell(error, hole.name, request);
      return (await this.#fallback(recognised)) ?? entry.identity.subarray(place.from, place.to);
    }
  }

  async #fallback(recognised: Recognised): Promise<Buffer | undefined> {
    const { fallback } = recognised.hole.definition;
    if (fallback === undefined) return undefined;
    try {
      return await this.#within(recognised, (_, props) => ({ node: fallback(props) }));
    } catch {
      // What was wrong has been told; the view without a visitor stands in.
      return undefined;
    }
  }

  /** Rejects when the time is over, whether or not the hole's code heeds its signal. */
  async #within(
    { hole, place, request }: Recognised,
    build: (renderContext: RenderContext, props: unknown) => Eventually<{ readonly node: Node }>,
  ): Promise<Buffer> {
    const { clock, sources } = this.#options;
    const { signal, route } = request;
    const over = new Stop();
    const gone = () => {
      over.abort(signal.reason);
    };
    if (signal.aborted) gone();
    signal.addEventListener('abort', gone, { once: true });
    const timer = clock.after(hole.timeoutMs, () => {
      this.#counts.timeout++;
      over.abort(
        new HoleError(`The hole '${hole.name}' took longer than its timeoutMs (${hole.timeoutMs}).`),
      );
    });
    this.#running++;
    try {
      // What it reads is no dependency: nothing of it is kept.
      const readScopes = visitorReadScopes(sources.readScopes, request.arrival);
      const start = { stamp: NO_STAMP, signal: over, nowMs: clock.now(), personal: true };
      const renderContext = new RenderContext(start, { ...sources, readScopes });
      const render = async () => {
        const { node } = await build(renderContext, propsOf(place.props));
        return renderToBuffer(node, this.#renderOptions(hole.name, renderContext, route));
      };
      const html = await Promise.race([render(), aborted(over)]);
      if (html.length <= hole.maxBytes) return html;
      this.#counts.tooLarge++;
      throw new HoleError(
        `The hole '${hole.name}' has ${html.length} bytes; its maxBytes is ${hole.maxBytes}.`,
      );
    } finally {
      this.#running--;
      timer.cancel();
      signal.removeEventListener('abort', gone);
    }
  }

  #renderOptions(name: string, renderContext: RenderContext, route: string) {
    const { fragments, notices } = this.#options;
    const tell = notices?.of(`hole ${name} in ${route}`);
    return {
      resolveFragment: insideHole(name, fragments.resolver(renderContext)),
      signal: renderContext.signal,
      // Where it was, and not what: that is the visitor's.
      tell: tell && ((notice: Notice) => tell({ ...notice, value: '' })),
      onScript: () => {
        throw scriptInHole(name);
      },
    };
  }

  #tell(error: unknown, hole: string, { route, id }: FillRequest): void {
    const ours = holeErrorIn(error);
    const place = { id: id(), status: 500, route, hole };
    const failure = ours === undefined ? { error, personal: true } : { error: ours };
    this.#failures.write({ ...failure, ...place }, 'a hole was not filled');
  }
}

/** What we say of a hole, whatever the renderer has put around it: it names options and what was declared, and nothing of a visitor. */
function holeErrorIn(error: unknown): HoleError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++)
    if (at instanceof HoleError) return at;
  return undefined;
}

function aborted(signal: StopSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
