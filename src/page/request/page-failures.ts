// Failures as entries, and the line in the log about each. An error that many waited for is told once, under one id.
import type { Header, PageEntry } from '../../cache/entry.ts';
import { OverloadedError } from '../../cache/errors.ts';
import type { Clock } from '../../core/clock.ts';
import { inEmptyContext } from '../../core/empty-context.ts';
import type { Logger } from '../../core/log.ts';
import { untraced } from '../../core/trace.ts';
import type { PageRoute } from '../application/application.ts';
import type { PageEncodings } from '../encode/encodings.ts';
import { GuardError } from '../errors.ts';
import type { FailureProps } from '../render/failure-page.ts';
import type { PageRenderer } from '../render/renderer.ts';
import { errorStatusOf } from './error-status.ts';
import { FailureLog } from './failure-log.ts';
import type { PageResponse } from './page-request.ts';
import type { Visit } from './visit.ts';

export interface PageFailuresOptions {
  readonly renderer: PageRenderer;
  readonly encodings: PageEncodings;
  readonly clock: Clock;
  readonly log: Logger;
  /** A short name for a failure, shown to the visitor and written to the log. */
  readonly newId: () => string;
  /** In [0, 1); spreads Retry-After. */
  readonly random: () => number;
  /** Show errors to the visitor. Never in production. */
  readonly showErrors: boolean;
  /** Log what failed guards and personal pages say. */
  readonly personalErrors?: boolean;
}

export class PageFailures {
  readonly #options: PageFailuresOptions;
  readonly #log: FailureLog;
  readonly #told = new WeakMap<object, string>();
  /** The page that all are shown for whom there is no room. */
  #refusal: Promise<PageEntry> | undefined;

  constructor(options: PageFailuresOptions) {
    this.#options = options;
    this.#log = new FailureLog(options);
  }

  async failed(route: PageRoute, error: unknown, visit: Visit): Promise<PageResponse> {
    if (error instanceof OverloadedError) return this.#shed(route, visit);
    const { random, showErrors } = this.#options;
    const { status, retry } = errorStatusOf(error);
    const known = typeof error === 'object' && error !== null ? this.#told.get(error) : undefined;
    const id = known ?? this.idOf(visit);
    // The client is gone, and the render stopped for that reason: no failure to tell of.
    if (known === undefined && !visit.isGone) {
      if (typeof error === 'object' && error !== null) this.#told.set(error, id);
      const personal = route.page.definition.personal === true || error instanceof GuardError;
      const { logId: session } = visit;
      this.#log.write({ error, id, status, route: route.template, personal, session }, 'a page failed');
    }
    const detail = showErrors ? describe(error) : undefined;
    const props = { status, id, detail, error, route: route.template };
    return this.failure(route, props, retry ? [retryAfter(random)] : [], visit);
  }

  async failure(
    route: PageRoute,
    props: FailureProps,
    headers: readonly Header[],
    visit: Visit,
  ): Promise<PageResponse> {
    const { renderer } = this.#options;
    const { resource } = route;
    const failure = await (resource === undefined
      ? renderer.failure(props, headers)
      : renderer.problem(resource, props, headers));
    const entry = await this.#options.encodings.ready(failure, visit.request.encoding, undefined);
    return { entry, route: route.template, key: undefined, outcome: undefined, errorId: props.id, vary: [] };
  }

  /** Cheap, or it would be the refusals that wear the worker out: no log line each, and one page rendered for all. */
  async #shed(route: PageRoute, visit: Visit): Promise<PageResponse> {
    const { renderer, random } = this.#options;
    if (route.resource !== undefined) {
      const told = { status: 503, id: 'overloaded', detail: undefined };
      const entry = await renderer.problem(route.resource, told, [retryAfter(random)]);
      return { entry, route: route.template, key: undefined, outcome: undefined, vary: [], shed: true };
    }
    this.#refusal ??= inEmptyContext(untraced, () =>
      renderer.failure({ status: 503, id: 'overloaded', detail: undefined, shed: true }, []),
    );
    const page = await this.#options.encodings.ready(await this.#refusal, visit.request.encoding, undefined);
    const entry = { ...page, headers: [...page.headers, retryAfter(random)] };
    const { template } = route;
    return { entry, route: template, key: undefined, outcome: undefined, vary: [], shed: true };
  }

  idOf({ request }: Visit): string {
    return request.id?.() ?? this.#options.newId();
  }

  tellOfOlder(route: PageRoute, error: unknown): void {
    const id = this.#newIdOf(error);
    if (id === undefined) return;
    this.#options.log.warn(
      { err: error, id, route: route.template },
      'a render failed; an older page was served',
    );
  }

  /** Undefined: told before. Otherwise the id under which it is told now, which a visitor may be shown later. */
  #newIdOf(error: unknown): string | undefined {
    const id = this.#options.newId();
    if (typeof error !== 'object' || error === null) return id;
    if (this.#told.has(error)) return undefined;
    this.#told.set(error, id);
    return id;
  }
}

/** Spread over 2 to 10 s, so that those who were refused at once do not come back at once. */
function retryAfter(random: () => number): Header {
  return ['retry-after', String(2 + Math.floor(random() * 9))];
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
