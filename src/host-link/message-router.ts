// What processes say to parts of the primary, by the name of the part. Addressed by process, not by slot: during a
// reload two workers share a slot, and one that is still starting must already be heard.
import type { RoomMessage } from './messages.ts';

/** One process, as one room knows it: the same object for everything that it says there. */
export interface Correspondent {
  /** Lost when the process is gone. */
  send(body: unknown): void;
}

export interface Room {
  receive(from: Correspondent, body: unknown): void;
  leave(from: Correspondent): void;
  /** It has not been heard of for a while: its event loop may stand still. It may come back. Said again and again. */
  silent?(from: Correspondent): void;
}

interface Process {
  send(message: RoomMessage): void;
}

export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #present = new WeakMap<Process, Map<string, Correspondent>>();

  open(name: string, room: Room): void {
    this.#rooms.set(name, room);
  }

  receive(process: Process, name: string, body: unknown): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    const known = this.#present.get(process) ?? new Map<string, Correspondent>();
    this.#present.set(process, known);
    const from = known.get(name) ?? {
      send: (answer) => process.send({ type: 'room', room: name, body: answer }),
    };
    known.set(name, from);
    room.receive(from, body);
  }

  silent(process: Process): void {
    for (const [name, from] of this.#present.get(process) ?? []) this.#rooms.get(name)?.silent?.(from);
  }

  gone(process: Process): void {
    for (const [name, from] of this.#present.get(process) ?? []) this.#rooms.get(name)?.leave(from);
    this.#present.delete(process);
  }
}
