import type { Forked } from '../../src/cluster/slots/worker-process.ts';
import { type FromPrimary, PROTOCOL_VERSION } from '../../src/host-link/messages.ts';

/** A worker as the primary sees it. What the test says, it does; real processes are in test/cluster. */
export class ScriptedProcess implements Forked {
  readonly pid: number;
  readonly heard: (FromPrimary['type'] | 'SIGTERM' | 'SIGKILL')[] = [];
  /** Of its welcome. */
  slot: number | undefined;
  #onMessage: (raw: unknown) => void = () => {};
  #onExit: (code: number | null, signal: string | null) => void = () => {};

  constructor(pid: number) {
    this.pid = pid;
  }

  send(message: FromPrimary): void {
    this.heard.push(message.type);
    if (message.type === 'welcome') this.slot = message.slot;
  }
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.heard.push(signal);
  }
  onMessage(handler: (raw: unknown) => void): void {
    this.#onMessage = handler;
  }
  onExit(handler: (code: number | null, signal: string | null) => void): void {
    this.#onExit = handler;
  }

  says(message: unknown): void {
    this.#onMessage(message);
  }
  boots(): void {
    this.says({ type: 'hello', version: PROTOCOL_VERSION, pid: this.pid });
    this.says({ type: 'ready', notes: [] });
  }
  dies(code: number | null = 1, signal: string | null = null): void {
    this.#onExit(code, signal);
  }
}
