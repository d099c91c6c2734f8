// Connections on their way to a worker that dies.
//
// In round robin the primary accepts a connection, sends it to a worker and forgets it once the worker has
// answered. If the worker dies in between, nothing answers or closes it: its client waits for ever
// (seen with kill -9, and always with a wedged worker, which is handed exactly one connection that it never
// takes). Nothing has been read from such a connection, so another worker can serve it as if nothing was.
//
// node:cluster has no public door to this. What is used is its message format (seen on the Node versions that
// test/cluster runs on): `newconn` with a `seq`, answered by `ack: seq` and `accepted`. Where it looks different
// nothing is remembered and everything stays as it is without this file.
import type { ChildProcess } from 'node:child_process';
import type { Worker } from 'node:cluster';
import type { EventEmitter } from 'node:events';

interface Closable {
  close(): void;
}

/**
 * Call right after the fork. When the worker is gone, what it had not taken goes to another worker, or is
 * closed when `othersAccept` says that there is none.
 */
export function rescueHandoffs(worker: Worker, othersAccept: () => boolean): void {
  const child = worker.process;
  const internal: EventEmitter = child;
  const underway = rememberHandoffs(child);
  internal.on('internalMessage', (message: unknown) => {
    const ack = numberAt(message, 'ack');
    if (ack !== undefined) underway.delete(ack);
  });

  const release = () => {
    for (const [seq, connection] of underway) {
      underway.delete(seq);
      if (othersAccept())
        internal.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: seq, accepted: false });
      else connection.close();
    }
  };
  // Answers that the worker wrote before it died are read until the channel closes.
  worker.once('exit', () => {
    if (child.connected) child.once('disconnect', release);
    else release();
  });
}

function rememberHandoffs(child: ChildProcess): Map<number, Closable> {
  const underway = new Map<number, Closable>();
  const send: (...args: Parameters<ChildProcess['send']>) => boolean = child.send.bind(child);
  child.send = (...args: unknown[]) => {
    const [message, handle] = args;
    const seq = isNewConnection(message) ? numberAt(message, 'seq') : undefined;
    if (seq !== undefined && isClosable(handle)) underway.set(seq, handle);
    return send(...(args as Parameters<ChildProcess['send']>));
  };
  return underway;
}

function isNewConnection(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'act' in message && message.act === 'newconn';
}

function numberAt(message: unknown, name: 'ack' | 'seq'): number | undefined {
  if (typeof message !== 'object' || message === null || !(name in message)) return undefined;
  const value: unknown = Reflect.get(message, name);
  return typeof value === 'number' ? value : undefined;
}

function isClosable(handle: unknown): handle is Closable {
  return (
    typeof handle === 'object' && handle !== null && 'close' in handle && typeof handle.close === 'function'
  );
}
