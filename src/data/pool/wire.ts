import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type pg from 'pg';

/** The driver's own connection below a client: messages of the protocol, and the socket. */
export interface Wire extends EventEmitter {
  readonly stream: Socket;
  /** The statements that it has prepared, by name. */
  readonly parsedStatements: Readonly<Record<string, string | undefined>>;
}

/**
 * The driver offers no way to cut a connection whose other side has fallen silent, none to write three messages as one, and
 * none to hear the answer to a single message.
 */
export function wireOf(client: pg.ClientBase): Wire | undefined {
  const connection: unknown = Reflect.get(client, 'connection');
  return typeof connection === 'object' && connection !== null ? (connection as Wire) : undefined;
}
