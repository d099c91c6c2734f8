// A POST on its way to a page's action: refused unless it comes from this site and carries a form of bearable size, and
// read before anything is run.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bytes } from '../core/units.ts';
import type { ActionResponse, PageActions } from '../page/request/actions.ts';
import type { FormKind } from '../page/request/form.ts';
import type { HoleFiller } from '../page/request/hole-filler.ts';
import type { Arrival } from '../visitor/arrival.ts';
import { comesFromHere } from './request/csrf.ts';
import { dropBody, readBody } from './request/request-body.ts';
import type { Target } from './request/target.ts';
import { filledBody } from './response/filled-page.ts';
import { goneSignal } from './response/gone.ts';
import { plainResponse } from './response/plain-response.ts';
import { type Asked, type HttpResponse, personalResponse } from './response/response.ts';
import { send } from './response/send.ts';

export interface FormHandlerOptions {
  readonly actions: PageActions;
  readonly maxBodyBytes: Bytes;
  readonly publicOrigin: string | undefined;
  /** As of pages that are asked for. */
  readonly holes?: HoleFiller | undefined;
}

/** A request and how to answer it. */
export interface Posted {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly header: (name: string) => string | undefined;
  /** Who sent it. */
  readonly arrival: () => Arrival;
  /** Of the client (Front.clientAddress). */
  readonly address: () => string;
  /** The name of the request, where requests have names. */
  readonly id: (() => string) | undefined;
  /** Headers about the connection, in every answer. */
  readonly transport: readonly string[];
  /** Asked when the answer is written: it is the last on its connection. */
  readonly isClosing: () => boolean;
}

const KINDS: ReadonlyMap<string, FormKind> = new Map([
  ['application/x-www-form-urlencoded', 'urlencoded'],
  ['application/json', 'json'],
]);

export class FormHandler {
  readonly #options: FormHandlerOptions;

  constructor(options: FormHandlerOptions) {
    this.#options = options;
  }

  takes(target: Target): boolean {
    return this.#options.actions.takes(target.segments);
  }

  /** Rejects only for defects of our own. */
  async serve(target: Target, posted: Posted): Promise<void> {
    const { actions, maxBodyBytes, publicOrigin } = this.#options;
    const { request, response, transport, isClosing } = posted;
    const say = ({ headers, ...rest }: HttpResponse, closing: boolean) =>
      send(response, { ...rest, headers: [...headers, ...transport] }, closing);
    const kind = kindOf(request);
    const refusal = comesFromHere(request.headers, publicOrigin) ? undefined : crossSite();
    if (refusal !== undefined || kind === undefined) {
      dropBody(request, maxBodyBytes);
      say(refusal ?? unsupported(), isClosing());
      return;
    }
    const throttled = await actions.refuse(target.segments, posted.address());
    if (throttled !== undefined) {
      dropBody(request, maxBodyBytes);
      say(personalResponse(throttled, PLAINLY, undefined), isClosing());
      return;
    }
    const body = await readBody(request, response, maxBodyBytes);
    // The client has broken off: it does not wait for a response, and an incomplete form is refused.
    if (body === 'cut') return;
    if (body === 'too large') {
      say(plainResponse(413, `A form has at most ${maxBodyBytes} bytes.`), true);
      return;
    }
    const arrival = posted.arrival();
    const done = await actions.act({
      segments: target.segments,
      path: target.path,
      query: target.query,
      header: posted.header,
      arrival,
      kind,
      body,
      ...(posted.id && { id: posted.id }),
    });
    const answer = answerTo(await this.#filled(done, arrival, posted));
    say({ ...answer, headers: [...answer.headers, ...done.headers.flat()] }, isClosing());
  }

  /** A page that is shown again is filled for who sent the form. */
  async #filled(done: ActionResponse, arrival: Arrival, { response, id }: Posted): Promise<ActionResponse> {
    const { holes } = this.#options;
    const { answer, route } = done;
    if (holes === undefined || 'json' in answer || answer.holes === undefined) return done;
    const request = { arrival, route, id: id ?? (() => ''), signal: goneSignal(response) };
    const recognised = await holes.recognise(answer, request);
    return { ...done, answer: { ...answer, identity: await filledBody(answer, holes.fill(recognised)) } };
  }
}

const PLAINLY: Asked = { method: 'GET', encodings: ['identity'], ifNoneMatch: undefined };

/** Not compressed: it may show what was sent beside what is secret, and lengths tell (BREACH). */
function answerTo({ answer }: ActionResponse): HttpResponse {
  if (!('json' in answer)) {
    return personalResponse(answer, PLAINLY, undefined);
  }
  const { headers, status } = plainResponse(answer.status, '');
  const body = Buffer.from(`${JSON.stringify(answer.json)}\n`, 'utf8');
  const rest = headers.filter((_, at) => headers[at - (at % 2)] !== 'content-length');
  return {
    status,
    headers: ['content-type', 'application/json', 'content-length', String(body.length), ...rest],
    body,
  };
}

/** No real one is longer, and each parameter costs. */
const MAX_TYPE_LENGTH = 256;

function kindOf({ headers }: IncomingMessage): FormKind | undefined {
  const { 'content-encoding': encoding, 'content-type': given = '' } = headers;
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return undefined;
  if (given.length > MAX_TYPE_LENGTH) return undefined;
  const [type = '', ...parameters] = given.toLowerCase().split(';');
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return undefined;
  return KINDS.get(type.trim());
}

function crossSite(): HttpResponse {
  return plainResponse(403, 'This form can only be sent from a page of this site.');
}

function unsupported(): HttpResponse {
  return plainResponse(
    415,
    'Send a form as application/x-www-form-urlencoded or application/json, in UTF-8.',
    ['accept-post', 'application/x-www-form-urlencoded, application/json'],
  );
}
