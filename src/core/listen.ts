import { createServer, type Server } from 'node:net';
import { CoherentError } from './errors.ts';

/** An address that the server is told to listen on cannot be had. */
class ListenError extends CoherentError {
  readonly code = 'E_LISTEN';
}

export interface Address {
  /** The settings the address came from, for the message. */
  readonly portName: string;
  readonly hostName: string;
  readonly port: number;
  readonly host: string;
}

/** Starts listening; resolves to the port that was taken. Rejects with `E_LISTEN`. */
export function listen(server: Server, address: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, address)));
    server.listen(address.port, address.host, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port);
    });
  });
}

/**
 * Whether the workers will get the port, asked before the first of them is forked: one clear message instead
 * of a crash loop. Resolves to the port, a free one for 0, so that all workers and restarts agree on it.
 */
export async function probe(address: Address): Promise<number> {
  const server = createServer();
  const port = await listen(server, address);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function explain(cause: Error, { portName, hostName, port, host }: Address): ListenError {
  const code = 'code' in cause ? cause.code : undefined;
  const message =
    code === 'EADDRINUSE'
      ? `${portName}=${port}: something else listens on ${host}:${port}; stop it, or choose another ${portName}`
      : code === 'EACCES'
        ? `${portName}=${port}: this user may not listen on it; choose a ${portName} above 1023`
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EINVAL'
          ? `${hostName}=${host}: is not an address of this machine`
          : `${hostName}=${host} ${portName}=${port}: cannot listen (${cause.message})`;
  return new ListenError(message, { cause });
}
