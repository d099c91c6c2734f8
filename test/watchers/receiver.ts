// Somebody who is told of purges: a real HTTP server that writes down what came, and answers as the test wants.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class Receiver {
  readonly received: Received[] = [];
  /** Undefined: 204. */
  answer: ((response: ServerResponse, received: Received) => void) | undefined;
  readonly #server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const received = { path: request.url ?? '', headers: request.headers, body };
      this.received.push(received);
      if (this.answer === undefined) response.writeHead(204).end();
      else this.answer(response, received);
    });
  });

  /** On this port, or a free one. */
  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get keys(): string[] {
    return this.received.flatMap(({ body }): string[] => JSON.parse(body).keys);
  }
}

/** As a receiver would do it: over the bytes that came, in constant time. */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const [, time, given = ''] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-coherent-signature'])) ?? [];
  const expected = createHmac('sha256', secret).update(`${time}.${body}`).digest();
  const isNew = Math.abs(Date.now() / 1000 - Number(time)) < 300;
  return isNew && given !== '' && timingSafeEqual(Buffer.from(given, 'hex'), expected);
}
