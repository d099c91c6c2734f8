// A page of one visitor: loaded and rendered for this request, and for no other. It goes past every tier of the cache and is
// joined with no other render; who may render now is decided as for any page, before new ones that are shared.
import type { Header, PageEntry } from '../../cache/entry.ts';
import { RenderTimeoutError } from '../../cache/errors.ts';
import type { RenderSlots } from '../../cache/render/render-slots.ts';
import type { Clock } from '../../core/clock.ts';
import { Stop, type StopSignal, throwIfStopped } from '../../core/stop.ts';
import type { Stamp } from '../../core/units.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import type { PageRoute } from '../application/application.ts';
import type { Inputs } from '../application/inputs.ts';
import type { PageRenderer } from '../render/renderer.ts';
import { type ReadScopes, visitorDb } from '../render/visitor-db.ts';
import type { Timeouts } from '../timeouts.ts';

export interface PersonalPagesOptions {
  readonly renderer: PageRenderer;
  readonly readScopes: ReadScopes;
  readonly timeouts: Timeouts;
  readonly clock: Clock;
  readonly stamp: () => Stamp;
  /** Without them as many are rendered at once as are asked for. */
  readonly slots?: RenderSlots | undefined;
}

export interface PersonalRequest {
  readonly route: PageRoute;
  readonly inputs: Inputs;
  readonly arrival: Arrival;
  /** Aborts when the visitor is gone. */
  readonly gone: StopSignal;
}

export class PersonalPages {
  readonly #options: PersonalPagesOptions;

  constructor(options: PersonalPagesOptions) {
    this.#options = options;
  }

  /** Rejects with what `load` or `view` threw, E_OVERLOADED, E_RENDER_TIMEOUT, or the reason of `gone`. */
  async render(request: PersonalRequest): Promise<PageEntry> {
    const { clock, slots, timeouts } = this.#options;
    const { template, page } = request.route;
    const limitMs = page.definition.renderTimeoutMs ?? timeouts.hardTimeoutMs;
    const over = new Stop();
    const timer = clock.after(limitMs, () => over.abort(new RenderTimeoutError(template, limitMs)));
    const leave = () => over.abort(request.gone.reason);
    request.gone.addEventListener('abort', leave, { once: true });
    try {
      const slot = await slots?.enter(clock.monotonic() + limitMs, over, 'personal');
      try {
        return await untilStopped(this.#render(request, over), over);
      } finally {
        slot?.leave();
      }
    } finally {
      timer.cancel();
      request.gone.removeEventListener('abort', leave);
    }
  }

  async #render({ route, inputs, arrival }: PersonalRequest, over: Stop): Promise<PageEntry> {
    const { renderer, readScopes, stamp } = this.#options;
    throwIfStopped(over);
    await arrival.settle(() => visitorDb(readScopes, over.signal));
    const entry = await renderer.personal(route, inputs, { stamp: stamp(), signal: over }, arrival);
    return forOneVisitor(entry, arrival);
  }
}

/** No cache keeps it, here or on the way, and it carries what is written to this visitor. */
export function forOneVisitor(entry: PageEntry, arrival: Arrival | undefined): PageEntry {
  const kept = entry.headers.filter(([name]) => !OF_CACHES.has(name));
  const headers: Header[] = [...kept, ['cache-control', 'private, no-store'], ...(arrival?.headers() ?? [])];
  return Object.freeze({ ...entry, headers: Object.freeze(headers) });
}

const OF_CACHES = new Set(['cache-control', 'cdn-cache-control', 'surrogate-key', 'cache-groups']);

/** Code that does not heed its signal is not waited for. */
function untilStopped<T>(work: Promise<T>, over: StopSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(over.reason);
    if (over.aborted) stop();
    else over.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(() => over.removeEventListener('abort', stop));
  });
}
