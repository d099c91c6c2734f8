// What processes say to parts of the primary, by the name of the part. Addressed by process, not by slot: during a
// reload two workers share a slot, and one that is still starting must already be heard.
import type { ChannelMessage } from './messages.ts';

/** One process, as one room knows it: the same object for everything that it says there. */
export interface Peer {
  /** Lost when the process is gone. */
  send(body: unknown): void;
}

export interface Channel {
  receive(from: Peer, body: unknown): void;
  leave(from: Peer): void;
  /** It has not been heard of for a while: its event loop may stand still. It may come back. Said again and again. */
  silent?(from: Peer): void;
}

interface Process {
  send(message: ChannelMessage): void;
}

export class MessageRouter {
  readonly #channels = new Map<string, Channel>();
  readonly #present = new WeakMap<Process, Map<string, Peer>>();

  open(name: string, channel: Channel): void {
    this.#channels.set(name, channel);
  }

  receive(process: Process, name: string, body: unknown): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    const known = this.#present.get(process) ?? new Map<string, Peer>();
    this.#present.set(process, known);
    const from = known.get(name) ?? {
      send: (answer) => process.send({ type: 'channel', channel: name, body: answer }),
    };
    known.set(name, from);
    channel.receive(from, body);
  }

  silent(process: Process): void {
    for (const [name, from] of this.#present.get(process) ?? []) this.#channels.get(name)?.silent?.(from);
  }

  gone(process: Process): void {
    for (const [name, from] of this.#present.get(process) ?? []) this.#channels.get(name)?.leave(from);
    this.#present.delete(process);
  }
}
