// The command line's way to a running server: its operations port.
import { request } from 'node:http';
import { OperationsUnreachableError } from './errors.ts';

export interface OperationsAddress {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
}

export interface OperationsReply {
  readonly status: number;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

const TIMEOUT_MS = 60_000;

/** Rejects with `E_OPERATIONS` where no server answers. */
export function askOperations(
  { host, port, token }: OperationsAddress,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<OperationsReply> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    'content-length': String(Buffer.byteLength(text)),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) => reject(new OperationsUnreachableError(host, port, cause));
    const sent = request(
      { host: reachable(host), port, method, path, headers, timeout: TIMEOUT_MS, agent: false },
      (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          received += chunk;
        });
        response.on('error', failed);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(received) }));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    sent.on('error', failed);
    sent.end(text);
  });
}

/** What is listened on everywhere is reached here. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
