// The body of a request to an endpoint: asked for when it is wanted (`Expect: 100-continue`), never more than may come,
// decoded by no one (a body that says it is compressed is refused: what it becomes has no bound).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import type { Bytes } from '../../core/units.ts';
import { BodyCut, BodyRefused, type IncomingBody } from '../../page/endpoint/body.ts';
import { expectsContinue, readBody } from '../request/request-body.ts';

/** No real one is longer, and each parameter costs. */
const MAX_TYPE_LENGTH = 256;

export function incomingBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: Bytes,
  { header, nowMs }: Pick<IncomingBody, 'header' | 'nowMs'>,
): IncomingBody {
  const given = request.headers['content-type'] ?? '';
  const contentType = given.length > MAX_TYPE_LENGTH ? '' : given;
  const tooLarge = () => new BodyRefused(413, `A body has at most ${maxBytes} bytes here.`);
  const assertReadable = () => {
    const { 'content-encoding': encoding, 'content-length': length } = request.headers;
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
      throw new BodyRefused(415, 'Send the body as it is, without content-encoding.');
    if (length !== undefined && Number(length) > maxBytes) throw tooLarge();
  };
  return {
    type: (contentType.split(';', 1)[0] ?? '').trim().toLowerCase(),
    contentType,
    header,
    nowMs,
    bytes: async () => {
      assertReadable();
      const body = await readBody(request, response, maxBytes);
      if (body === 'cut') throw new BodyCut();
      if (body === 'too large') throw tooLarge();
      return body;
    },
    stream: () => {
      assertReadable();
      if (expectsContinue(request)) response.writeContinue();
      return bounded(request, response, maxBytes, tooLarge);
    },
  };
}

/** What comes, until it is too much; fails where the client breaks off. */
function bounded(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: Bytes,
  tooLarge: () => Error,
): Readable {
  let readBytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      readBytes += chunk.length;
      if (readBytes > maxBytes) done(tooLarge());
      else done(null, chunk);
    },
  });
  const cut = () => {
    if (!request.complete) counted.destroy(new BodyCut());
  };
  request.once('error', cut).once('close', cut);
  // It was told that the rest does not come in time.
  response.once('close', cut);
  // Not `pipeline`: it would destroy the request, and with it the connection that the answer goes out on.
  request.pipe(counted);
  counted.once('error', () => request.unpipe(counted));
  return counted;
}
