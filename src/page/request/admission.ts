// What a visitor is answered whom a guard does not let pass. Such an answer is theirs alone, and kept nowhere.
import type { PageEntry } from '../../cache/entry.ts';
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds, Stamp } from '../../core/units.ts';
import type { Application } from '../application/application.ts';
import { NO_INPUTS } from '../application/inputs.ts';
import { isNotFound, isRedirect } from '../definitions/outcome.ts';
import type { ReadScopes } from '../render/render-context.ts';
import type { PageRenderer } from '../render/renderer.ts';
import { type GuardedRequest, type GuardedRoute, Guards, type Refusal } from './guards.ts';
import { forOneVisitor } from './personal.ts';

export interface AdmissionOptions {
  readonly application: Application;
  readonly renderer: PageRenderer;
  readonly readScopes: ReadScopes;
  readonly clock: Clock;
  readonly stamp: () => Stamp;
  readonly newId: () => string;
  /** For all guards of a route; then for the page of a refusal. */
  readonly timeoutMs: Milliseconds;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #guards: Guards;
  readonly #counts = { asked: 0, refused: 0, failed: 0 };

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#guards = new Guards(options);
  }

  stats() {
    return { ...this.#counts };
  }

  /** Undefined: the visitor may pass. `id`: of the request. Rejects with E_GUARD, and then nothing of the route is to be shown. */
  async refuse(
    route: GuardedRoute,
    request: GuardedRequest,
    id?: (() => string) | undefined,
  ): Promise<PageEntry | undefined> {
    if (route.guards.length === 0) return undefined;
    this.#counts.asked++;
    let refusal: Refusal | undefined;
    try {
      refusal = await this.#guards.ask(route, request);
    } catch (error) {
      this.#counts.failed++;
      throw error;
    }
    if (refusal === undefined) return undefined;
    this.#counts.refused++;
    return forOneVisitor(await this.#page(refusal, id), request.arrival);
  }

  async #page(refusal: Refusal, id: (() => string) | undefined): Promise<PageEntry> {
    const { renderer, application, stamp, newId, timeoutMs } = this.#options;
    // 303: whatever was asked for, what is over there is asked for with GET.
    if (isRedirect(refusal)) return renderer.redirect(refusal.status ?? 303, refusal.location);
    if (isNotFound(refusal)) {
      const context = { stamp: stamp(), signal: AbortSignal.timeout(timeoutMs) };
      return renderer.again(application.notFound, NO_INPUTS, context, undefined);
    }
    return renderer.failure({ status: 403, id: id?.() ?? newId(), detail: undefined }, []);
  }
}
