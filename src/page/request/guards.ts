// Asks the guards of a route. Every way to what a route shows goes through here before it does anything else.
//
//   all answer nothing                            the visitor may pass
//   one answers redirect, forbidden, notFound     that is the answer; those behind it are not asked
//   one throws, hangs, answers anything else      GuardError, which is a 503: never a pass
import type { Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import type { PageRoute } from '../application/application.ts';
import type { GuardAnswer, GuardContext } from '../definitions/guard.ts';
import { isForbidden, isNotFound, isRedirect } from '../definitions/outcome.ts';
import { GuardError } from '../errors.ts';
import { type ReadScopes, visitorDb } from '../render/visitor-db.ts';

export type GuardedRoute = Pick<PageRoute, 'template' | 'guards'>;

export interface GuardedRequest {
  /** As they stand in the address. */
  readonly params: Readonly<Record<string, string>>;
  readonly arrival: Arrival;
}

export type Refusal = Exclude<GuardAnswer, undefined>;

export interface GuardsOptions {
  readonly readScopes: ReadScopes;
  readonly clock: Clock;
  /** All guards of a route together. */
  readonly timeoutMs: Milliseconds;
}

export class Guards {
  readonly #options: GuardsOptions;

  constructor(options: GuardsOptions) {
    this.#options = options;
  }

  /** Undefined: the visitor may pass. Rejects with E_GUARD, and then nothing is to be shown. */
  async ask(route: GuardedRoute, request: GuardedRequest): Promise<Refusal | undefined> {
    const { clock, timeoutMs } = this.#options;
    const over = new AbortController();
    const timer = clock.after(timeoutMs, () => over.abort(new Error(`It took longer than ${timeoutMs} ms.`)));
    try {
      return await Promise.race([this.#askAll(route, request, over.signal), aborted(over.signal)]);
    } catch (cause) {
      throw cause instanceof GuardError ? cause : new GuardError(route.template, cause);
    } finally {
      timer.cancel();
    }
  }

  async #askAll(
    { template, guards }: GuardedRoute,
    { params, arrival }: GuardedRequest,
    signal: AbortSignal,
  ): Promise<Refusal | undefined> {
    const { readScopes } = this.#options;
    await arrival.settle(() => visitorDb(readScopes, signal));
    const db = visitorDb(readScopes, signal, arrival);
    const context: GuardContext = Object.freeze({ ...arrival.reading, params, route: template, db, signal });
    for (const guard of guards) {
      const answer: unknown = await guard.check(context);
      if (answer === undefined) continue;
      if (isRedirect(answer) || isForbidden(answer) || isNotFound(answer)) return answer;
      throw new GuardError(template, new Error(`It answered ${kindOf(answer)}.`));
    }
    return undefined;
  }
}

function kindOf(answer: unknown): string {
  return typeof answer === 'boolean' || answer === null ? String(answer) : `a value of type ${typeof answer}`;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}
