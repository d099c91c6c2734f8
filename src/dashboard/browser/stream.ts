// The line to the server: figures once a second for as long as the page is looked at. A hidden page is told nothing.
import type { Frame, Greeting } from '../data/frame.ts';

export type LinkState = 'connecting' | 'live' | 'lost' | 'paused';

export interface StreamEvents {
  greeting(greeting: Greeting): void;
  frame(frame: Frame): void;
  state(state: LinkState): void;
  /** The session is over. */
  shutOut(): void;
}

const AGAIN_MS = 3000;
/** Without a word for so long the line is dead, whatever the browser thinks of it. */
const SILENT_MS = 8000;

export class Stream {
  readonly #events: StreamEvents;
  #source: EventSource | undefined;
  #again: number | undefined;
  #silence: number | undefined;

  constructor(events: StreamEvents) {
    this.#events = events;
    document.addEventListener('visibilitychange', () => this.#follow());
    this.#follow();
  }

  #follow(): void {
    if (document.hidden) {
      this.#end();
      this.#events.state('paused');
    } else this.#open();
  }

  #open(): void {
    this.#end();
    this.#events.state('connecting');
    const source = new EventSource('/dashboard/events');
    this.#source = source;
    source.addEventListener('greeting', (event) => this.#events.greeting(JSON.parse(event.data)));
    source.addEventListener('frame', (event) => {
      this.#events.state('live');
      this.#listen();
      this.#events.frame(JSON.parse(event.data));
    });
    source.addEventListener('error', () => this.#lost());
    this.#listen();
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(), SILENT_MS);
  }

  #lost(): void {
    this.#end();
    this.#events.state('lost');
    this.#again = setTimeout(() => void this.#ask(), AGAIN_MS);
  }

  /** An event source does not say why it was refused; this does. */
  async #ask(): Promise<void> {
    try {
      const { status } = await fetch('/dashboard/session');
      if (status === 401) this.#events.shutOut();
      else this.#open();
    } catch {
      this.#lost();
    }
  }

  #end(): void {
    clearTimeout(this.#again);
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = undefined;
  }
}
