// The way of a POST: route -> inputs and form -> the page's action -> where the visitor goes next. Nothing of it is cached,
// and nothing of it is run twice.
//
//   form that cannot be taken (its schemas, or `invalid()`)   422: the page again, with what was typed and why not
//   redirect()                                                303, so that a reload does not send the form again
//   nothing                                                   303 to the page's own address
//   notFound(), inputs that no page has                       404
//   an error                                                  as for a page: 400, 500, or 503 with Retry-After
//
// A client that sent JSON is told of a form that cannot be taken in JSON: { "errors": { field: message } }.
import type { Header, PageEntry } from '../../cache/entry.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { UnheardRejections } from '../../core/unheard-rejections.ts';
import type { Milliseconds, Stamp } from '../../core/units.ts';
import type { WritableDb } from '../../data/read/write-scope.ts';
import type { Visible } from '../../invalidation/bus/visibility.ts';
import type { Arrival } from '../../visitor/arrival.ts';
import type { Throttle } from '../../visitor/throttle/throttle.ts';
import type { Application, PageRoute } from '../application/application.ts';
import { type Inputs, NO_INPUTS, parseInputs } from '../application/inputs.ts';
import type { ActionAnswer, ActionContext, Feedback, VisibleOptions } from '../definitions/action.ts';
import { isInvalid, isNotFound, isRedirect } from '../definitions/outcome.ts';
import type { Shape } from '../definitions/schemas.ts';
import { boundFetch } from '../render/render-context.ts';
import type { PageRenderer } from '../render/renderer.ts';
import { ActionThrottle } from './action-throttle.ts';
import type { Admission } from './admission.ts';
import { errorStatusOf } from './error-status.ts';
import { FailureLog } from './failure-log.ts';
import { type FormKind, parseForm, type RawForm, readForm, valuesOf } from './form.ts';

/** How an action writes, and learns that others see it. */
export interface Writing {
  writeScope(signal: AbortSignal): WritableDb;
  visible(withinMs: Milliseconds | undefined): Promise<Visible>;
}

/** One POST. */
export interface ActionRequest {
  /** Of the canonical path, decoded. */
  readonly segments: readonly string[];
  /** The canonical path, percent-encoded. */
  readonly path: string;
  /** Raw, without the '?'. */
  readonly query: string;
  readonly header: (name: string) => string | undefined;
  /** Who sent it. */
  readonly arrival: Arrival;
  readonly kind: FormKind;
  readonly body: Buffer;
  /** The name of the request: a failure of it goes by this one. */
  readonly id?: () => string;
}

export interface ActionResponse {
  readonly route: string;
  readonly answer: ActionResult;
  /** What goes to this visitor with it: their cookies. */
  readonly headers: readonly Header[];
  readonly errorId?: string;
}

/** A page, a redirect or a failure, or an answer for programs. */
export type ActionResult = PageEntry | { readonly status: 422; readonly json: unknown };

export interface PageActionsOptions {
  readonly application: Application;
  readonly renderer: PageRenderer;
  readonly admission: Admission;
  /** Without it nothing is done too often. */
  readonly throttle?: Throttle | undefined;
  readonly writing: Writing;
  readonly fetch: typeof globalThis.fetch;
  readonly stamp: () => Stamp;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  /** In [0, 1); spreads Retry-After. */
  readonly random: () => number;
  readonly showErrors: boolean;
  /** Log what failed actions say. */
  readonly personalErrors?: boolean;
  /** Told whose work it is that goes on. */
  readonly rejections?: UnheardRejections | undefined;
  readonly timeoutMs: Milliseconds;
  /** So many at once in this worker; more are answered 503. */
  readonly maxRunning?: number;
}

type AnyContext = ActionContext<Shape, Shape, Shape>;

const MAX_RUNNING = 64;

export class PageActions {
  readonly #options: PageActionsOptions;
  readonly #failures: FailureLog;
  readonly #throttle: ActionThrottle;
  readonly #counts = { run: 0, invalid: 0, failed: 0, refused: 0, throttled: 0 };
  #running = 0;

  constructor(options: PageActionsOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options);
    this.#throttle = new ActionThrottle(options);
  }

  stats() {
    return { ...this.#counts, running: this.#running };
  }

  /** Whether a page with an action answers here. */
  takes(segments: readonly string[]): boolean {
    return this.#options.application.router.match(segments)?.route.page.definition.action !== undefined;
  }

  /** Undefined: it may be read. Otherwise the answer to somebody from whose address too much has come. */
  async refuse(segments: readonly string[], address: string): Promise<PageEntry | undefined> {
    const route = this.#options.application.router.match(segments)?.route;
    const refusal = route && (await this.#throttle.address(route, address));
    if (refusal !== undefined) this.#counts.throttled++;
    return refusal;
  }

  /** Never rejects. */
  async act(request: ActionRequest): Promise<ActionResponse> {
    const { application } = this.#options;
    const match = application.router.match(request.segments);
    const route = match?.route ?? application.notFound;
    if (this.#running >= (this.#options.maxRunning ?? MAX_RUNNING)) {
      this.#counts.refused++;
      return this.#failure(route, 503, undefined, [this.#retryAfter()], request.id?.());
    }
    this.#running++;
    const time = new TimeLimit(this.#options.clock, this.#options.timeoutMs);
    try {
      const { admission } = this.#options;
      const { arrival } = request;
      const guarded = { params: match?.params ?? {}, arrival };
      const refusal = await admission.refuse(route, guarded, request.id);
      if (refusal !== undefined) return { answer: refusal, route: route.template, headers: [] };
      const raw = readForm(request.body, request.kind);
      if (typeof raw === 'string') return await this.#failure(route, 400, raw, [], request.id?.());
      const { query, header } = request;
      const inputs = await parseInputs(route.declared, { params: match?.params ?? {}, query, header });
      if (!('rejected' in inputs)) {
        const answer = await this.#run(route, inputs, raw, request, time.signal);
        return { answer, route: route.template, headers: request.arrival.headers() };
      }
      if (inputs.rejected !== 404) {
        const { rejected, reason } = inputs;
        return await this.#failure(route, rejected, reason, [], request.id?.());
      }
      return { answer: await this.#notFound(request, time.signal), route: '_404', headers: [] };
    } catch (error) {
      return await this.#failed(route, error, request);
    } finally {
      time.end();
      this.#running--;
    }
  }

  async #run(
    route: PageRoute,
    inputs: Inputs,
    raw: RawForm,
    request: ActionRequest,
    signal: AbortSignal,
  ): Promise<ActionResult> {
    const { renderer } = this.#options;
    const { action, form: shape = {} } = route.page.definition;
    if (action === undefined) return this.#notFound(request, signal);
    const parsed = await parseForm(shape, raw);
    if ('feedback' in parsed) return this.#invalid(route, inputs, parsed.feedback, request, signal);
    const { form } = parsed;
    const { params, query } = inputs;
    const refusal = await this.#throttle.account(route, { form, params, query });
    if (refusal !== undefined) {
      this.#counts.throttled++;
      return refusal;
    }
    this.#counts.run++;
    const db = this.#options.writing.writeScope(signal);
    await request.arrival.settle(() => db);
    const context = this.#context(inputs, form, db, request, signal);
    const answer = await this.#act(route.template, () => action(context));
    if (isRedirect(answer)) return renderer.redirect(answer.status ?? 303, answer.location);
    if (isNotFound(answer)) return this.#notFound(request, signal);
    if (!isInvalid(answer))
      return renderer.redirect(303, request.query === '' ? request.path : `${request.path}?${request.query}`);
    const feedback = { values: valuesOf(shape, raw), errors: answer.errors };
    return this.#invalid(route, inputs, feedback, request, signal);
  }

  async #act(template: string, action: () => ActionAnswer | Promise<ActionAnswer>): Promise<ActionAnswer> {
    const { rejections } = this.#options;
    const place = `action ${template}`;
    rejections?.began(place, true);
    try {
      return await action();
    } finally {
      rejections?.ended(place);
    }
  }

  #context(
    { params, query }: Inputs,
    form: Readonly<Record<string, unknown>>,
    db: WritableDb,
    { arrival }: ActionRequest,
    signal: AbortSignal,
  ): AnyContext {
    const { writing, fetch } = this.#options;
    return Object.freeze({
      ...arrival.writing,
      params,
      query,
      form,
      db,
      visible: ({ withinMs }: VisibleOptions = {}) => writing.visible(withinMs),
      signal,
      fetch: boundFetch(fetch, signal),
    });
  }

  async #invalid(
    route: PageRoute,
    inputs: Inputs,
    feedback: Feedback,
    { kind, arrival }: ActionRequest,
    signal: AbortSignal,
  ): Promise<ActionResult> {
    this.#counts.invalid++;
    const { renderer, stamp } = this.#options;
    if (kind === 'json') return { status: 422, json: { errors: feedback.errors } };
    const context = { stamp: stamp(), signal };
    if (route.page.definition.personal !== true)
      return renderer.again(route, inputs, context, Object.freeze(feedback));
    await arrival.settle(() => this.#options.writing.writeScope(signal));
    return renderer.again(route, inputs, context, Object.freeze(feedback), arrival);
  }

  async #notFound({ header }: ActionRequest, signal: AbortSignal): Promise<PageEntry> {
    const { renderer, application, stamp } = this.#options;
    const { notFound } = application;
    const parsed = await parseInputs(notFound.declared, { params: {}, query: '', header });
    const inputs = 'rejected' in parsed ? NO_INPUTS : parsed;
    return renderer.again(notFound, inputs, { stamp: stamp(), signal }, undefined);
  }

  #failed(route: PageRoute, error: unknown, request: ActionRequest): Promise<ActionResponse> {
    const { newId, showErrors } = this.#options;
    this.#counts.failed++;
    const { status, retry } = errorStatusOf(error);
    const id = request.id?.() ?? newId();
    const { logId: session } = request.arrival;
    const failure = { error, id, status, route: route.template, personal: true, session };
    this.#failures.write(failure, 'an action failed');
    const detail = showErrors && error instanceof Error ? (error.stack ?? error.message) : undefined;
    return this.#failure(route, status, detail, retry ? [this.#retryAfter()] : [], id, error);
  }

  async #failure(
    route: PageRoute,
    status: number,
    detail: string | undefined,
    headers: readonly Header[] = [],
    id = this.#options.newId(),
    error?: unknown,
  ): Promise<ActionResponse> {
    const props = { status, id, detail, error, route: route.template };
    const answer = await this.#options.renderer.failure(props, headers);
    return { answer, route: route.template, headers: [], errorId: id };
  }

  #retryAfter(): Header {
    return ['retry-after', String(2 + Math.floor(this.#options.random() * 9))];
  }
}

/** Aborts when the time is over. */
class TimeLimit {
  readonly #abort = new AbortController();
  readonly #timer: Timer;

  constructor(clock: Clock, limitMs: Milliseconds) {
    this.#timer = clock.after(limitMs, () =>
      this.#abort.abort(new Error(`The action took longer than ${limitMs} ms.`)),
    );
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  end(): void {
    this.#timer.cancel();
  }
}
