// Requests to endpoints: which file has the address, whether the method and the origin are answered, and the answer on the
// wire. Everything here is for one request; nothing is cached.
import type { Bytes, EpochMs } from '../../core/units.ts';
import type { PageRoute } from '../../page/application/application.ts';
import type { RouteTable, WithEndpoint } from '../../page/application/route-table.ts';
import type { Match } from '../../page/application/router.ts';
import { isRedirect } from '../../page/definitions/outcome.ts';
import { BodyCut, isBodyKind } from '../../page/endpoint/body.ts';
import type { EndpointRoute } from '../../page/endpoint/compile-endpoint.ts';
import { isDownload } from '../../page/endpoint/download.ts';
import { type AnyMethod, type EndpointMethod, METHODS } from '../../page/endpoint/endpoint.ts';
import { EndpointError } from '../../page/endpoint/errors.ts';
import { safeLocation } from '../../page/render/redirect.ts';
import type { Admission } from '../../page/request/admission.ts';
import type { Endpoints, Failure } from '../../page/request/endpoints.ts';
import type { Posted } from '../form-handler.ts';
import { limitByProgress } from '../limits/slow-senders.ts';
import { dropBody, expectsContinue } from '../request/request-body.ts';
import type { Target } from '../request/target.ts';
import { plainResponse } from '../response/plain-response.ts';
import { type Asked, type HttpResponse, personalResponse } from '../response/response.ts';
import { send } from '../response/send.ts';
import { corsHeaders, mayAct, preflightHeaders } from './cors.ts';
import { type FailurePages, failureResponse } from './failure-response.ts';
import { incomingBody } from './incoming-body.ts';
import { jsonResponse } from './json-response.ts';
import { sendDownload } from './send-download.ts';
import { type Outgoing, sendWebResponse } from './web-response.ts';

export interface EndpointHandlerOptions {
  readonly routes: RouteTable<PageRoute>;
  readonly endpoints: Endpoints;
  readonly admission: Admission;
  readonly failurePages: FailurePages;
  /** Of a method that says nothing else. */
  readonly maxBodyBytes: Bytes;
  readonly publicOrigin: string | undefined;
  /** Of a document that an endpoint answers. */
  readonly documentPolicy: string;
  readonly newId: () => string;
  readonly now: () => EpochMs;
}

/** A file with an endpoint, and what the path's parameters are. */
export type FoundEndpoint = Match<WithEndpoint<PageRoute>>;

/** One request on its way. */
interface Visit extends Posted {
  readonly route: EndpointRoute;
  readonly guards: WithEndpoint<PageRoute>['guards'];
  readonly id: () => string;
  /** Names of all methods that the address answers. */
  readonly allowed: readonly string[];
}

export class EndpointHandler {
  readonly #options: EndpointHandlerOptions;

  constructor(options: EndpointHandlerOptions) {
    this.#options = options;
  }

  /** Undefined where the address has no endpoint, or its page answers this method. */
  find({ segments }: Pick<Target, 'segments'>, method: string | undefined): FoundEndpoint | undefined {
    const found = this.#options.routes.endpoint(segments);
    const page = found?.route.page;
    if (page === undefined) return found;
    const isOfPage =
      method === 'GET' ||
      method === 'HEAD' ||
      (method === 'POST' && page.page.definition.action !== undefined);
    return isOfPage ? undefined : found;
  }

  /** Rejects only for defects of our own. */
  async serve({ route: file, params }: FoundEndpoint, { query }: Target, posted: Posted): Promise<void> {
    const { request, response } = posted;
    const { maxBodyBytes, publicOrigin, newId } = this.#options;
    const { headers, method: asked = '' } = request;
    const route = file.endpoint;
    const id = posted.id ?? newId;
    const visit: Visit = { ...posted, route, guards: file.guards, id, allowed: allowedMethods(file) };
    const method = methodOf(route, asked);
    if (asked === 'OPTIONS') {
      dropBody(request, maxBodyBytes);
      const granted = preflightHeaders(route.from, headers, visit.allowed);
      this.#say(plainResponse(204, '', ['allow', visit.allowed.join(', '), ...granted]), visit);
    } else if (method === undefined) {
      const detail = `${visit.allowed.join(', ')} are answered here.`;
      await this.#refuse(visit, 405, detail, ['allow', visit.allowed.join(', ')]);
    } else if (!mayAct(route.from, method, headers, publicOrigin)) {
      await this.#refuse(visit, 403, crossSite(route));
    } else {
      try {
        await this.#run(visit, method, params, query);
      } catch (error) {
        if (!(error instanceof BodyCut)) throw error;
        response.destroy();
      }
    }
  }

  async #run(
    visit: Visit,
    method: EndpointMethod,
    params: Readonly<Record<string, string>>,
    query: string,
  ): Promise<void> {
    const { endpoints, maxBodyBytes } = this.#options;
    const { request, response, route, header } = visit;
    if (await this.#isKeptOut(visit, params)) return;
    const definition = route.methods.get(method);
    if (definition?.body === undefined) dropBody(request, maxBodyBytes);
    if (isBodyKind(definition?.body) && definition.body.streams) limitByProgress(request);
    const id = visit.id();
    const body = incomingBody(request, response, this.#maxBytes(definition), {
      header,
      nowMs: this.#options.now(),
    });
    const { arrival } = visit;
    const done = await endpoints.run({ route, method, params, query, header, arrival, body, id });
    if ('failure' in done) await this.#fail(visit, done.failure);
    else {
      try {
        if ((await this.#answer(visit, method, done)) === 'gone') done.abandon();
      } catch (error) {
        done.abandon();
        const failure = endpoints.failed({ route, id }, error);
        if (response.headersSent) response.destroy();
        else await this.#fail(visit, failure);
      }
    }
  }

  /** A guard has refused the visitor, or gave no answer, and they were told. */
  async #isKeptOut(visit: Visit, params: Readonly<Record<string, string>>): Promise<boolean> {
    const { admission, endpoints, maxBodyBytes } = this.#options;
    const { route, guards, id } = visit;
    if (guards.length === 0) return false;
    try {
      const { template } = route;
      const refusal = await admission.refuse({ template, guards }, { params, arrival: visit.arrival() }, id);
      if (refusal === undefined) return false;
      dropBody(visit.request, maxBodyBytes);
      this.#say(personalResponse(refusal, PLAINLY, undefined), visit);
    } catch (error) {
      dropBody(visit.request, maxBodyBytes);
      await this.#fail(visit, endpoints.failed({ route, id: id() }, error));
    }
    return true;
  }

  /** Rejects with what cannot be sent. */
  async #answer(
    visit: Visit,
    method: EndpointMethod,
    { answer, headers }: { readonly answer: unknown; readonly headers: readonly string[] },
  ): Promise<'sent' | 'gone'> {
    const { request } = visit;
    if (isDownload(answer)) {
      const sent = await sendDownload(
        answer,
        request,
        this.#outgoing(visit, ['content-disposition'], headers),
      );
      if (sent !== 'absent') return sent;
      await this.#refuse(visit, 404, 'There is no such file.');
      return 'sent';
    }
    if (answer instanceof Response) {
      const exposed = [...answer.headers.keys()].filter((name) => name !== 'set-cookie');
      return sendWebResponse(answer, this.#outgoing(visit, exposed, headers));
    }
    const made = answerOf(answer, method);
    this.#say({ ...made, headers: [...made.headers, ...headers] }, visit);
    return 'sent';
  }

  /** Of a request's body. */
  #maxBytes(method: AnyMethod | undefined): Bytes {
    const own = isBodyKind(method?.body) ? method.body.maxBytes : undefined;
    return method?.maxBytes ?? own ?? this.#options.maxBodyBytes;
  }

  #outgoing(visit: Visit, exposed: readonly string[], own: readonly string[]): Outgoing {
    const { request, response, route, transport } = visit;
    return {
      response,
      extra: [...corsHeaders(route.from, request.headers, exposed), ...transport],
      own,
      cookies: route.from !== 'anywhere',
      documentPolicy: this.#options.documentPolicy,
      closing: () => this.#isLast(visit),
    };
  }

  async #refuse(
    visit: Visit,
    status: number,
    detail: string,
    headers: readonly string[] = [],
  ): Promise<void> {
    dropBody(visit.request, this.#options.maxBodyBytes);
    await this.#fail(visit, { status, id: visit.id(), detail, issues: [], headers });
  }

  async #fail(visit: Visit, failure: Failure): Promise<void> {
    const answer = await failureResponse(failure, visit.header('accept'), this.#options.failurePages);
    this.#say(answer, visit, failure.status === 413);
  }

  #say(answer: HttpResponse, visit: Visit, isLast = false): void {
    const { request, response, route, transport } = visit;
    const cors = corsHeaders(route.from, request.headers);
    const closing = isLast || this.#isLast(visit);
    if (!request.complete && !closing) dropBody(request, this.#options.maxBodyBytes);
    send(response, { ...answer, headers: joinVary([...answer.headers, ...cors, ...transport]) }, closing);
  }

  /** Also where a body may still come that was not asked for. */
  #isLast({ request, isClosing }: Visit): boolean {
    return isClosing() || (!request.complete && (expectsContinue(request) || request.readableDidRead));
  }
}

const PLAINLY: Asked = { method: 'GET', encodings: ['identity'], ifNoneMatch: undefined };

function methodOf(route: EndpointRoute, asked: string): EndpointMethod | undefined {
  const method = METHODS.find((name) => name === (asked === 'HEAD' ? 'GET' : asked));
  return method !== undefined && route.methods.has(method) ? method : undefined;
}

function allowedMethods({ page, endpoint }: WithEndpoint<PageRoute>): readonly string[] {
  const names = new Set<string>();
  if (page !== undefined || endpoint.methods.has('GET')) names.add('GET').add('HEAD');
  if (page?.page.definition.action !== undefined) names.add('POST');
  for (const name of endpoint.methods.keys()) names.add(name);
  return [...names, 'OPTIONS'];
}

function crossSite({ from }: EndpointRoute): string {
  return from === 'this-site'
    ? 'This can only be asked for by a page of this site. Programs say which site they speak for in an Origin header.'
    : 'This origin may not ask for this.';
}

/** What is no web `Response`. Errors: `E_ENDPOINT`, `E_REDIRECT`, and those of JSON.stringify. */
function answerOf(answer: unknown, method: EndpointMethod): HttpResponse {
  if (answer === undefined) return plainResponse(204, '');
  if (isRedirect(answer)) {
    const status = answer.status ?? (method === 'GET' ? 307 : 303);
    return plainResponse(status, '', ['location', safeLocation(answer.location)]);
  }
  if (typeof answer !== 'object' || answer === null)
    throw new EndpointError(`its handler answered a ${answer === null ? 'null' : typeof answer}.`);
  return jsonResponse(200, answer);
}

/** Two `vary` are one, in a list that may name a header once. */
function joinVary(headers: readonly string[]): string[] {
  const joined: string[] = [];
  let varyAt = -1;
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (name === 'vary' && varyAt !== -1) joined[varyAt] = `${joined[varyAt]}, ${value}`;
    else {
      if (name === 'vary') varyAt = joined.length + 1;
      joined.push(name, value);
    }
  }
  return joined;
}
