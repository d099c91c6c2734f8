// What a page that works could do better. Each is told once, with the line it is about, for as long as the server runs.
import type { Logger } from '../../core/log.ts';
import { shown } from '../folder.ts';
import type { Place } from './stack.ts';

export interface Notice {
  /** Of docs/guides/dev.md. */
  readonly topic: string;
  readonly place: Place | undefined;
  readonly text: string;
}

const MAX_TOLD = 1000;

export class Notices {
  readonly #told = new Map<string, Notice>();
  readonly #on: (notice: Notice) => void;

  constructor(on: (notice: Notice) => void) {
    this.#on = on;
  }

  get all(): readonly Notice[] {
    return [...this.#told.values()];
  }

  tell(notice: Notice): void {
    const { topic, place, text } = notice;
    const key = `${topic} ${place?.file ?? ''} ${text}`;
    if (this.#told.has(key) || this.#told.size >= MAX_TOLD) return;
    this.#told.set(key, notice);
    this.#on(notice);
  }

  /** Takes what the renderer says of pages to its log. What failed is shown as a page of its own, and left out here. */
  asLogger(): Logger {
    const logger: Logger = {
      debug: () => {},
      info: () => {},
      warn: (fields, message) =>
        this.tell({ topic: 'page', place: undefined, text: sentence(fields, message) }),
      error: () => {},
      child: () => logger,
    };
    return logger;
  }
}

/** `/users/[id]: this page reads what no purge tells of (why)`. */
function sentence({ err, ...fields }: Record<string, unknown>, message: string): string {
  const { route, view, where, ...rest } = fields;
  const subject = [route, view, where].find((each) => typeof each === 'string');
  const details = Object.values(rest).filter((each) => typeof each === 'string' || typeof each === 'number');
  const why = err instanceof Error ? [...details, err.message] : details;
  return `${subject === undefined ? '' : `${subject}: `}${message}${why.length === 0 ? '' : ` (${why.join('; ')})`}`;
}

/** `pages/index.ts:12:3`, as terminals make links of it. */
export function shownPlace({ file, line, column }: Place): string {
  return `${shown(file)}:${line}:${column}`;
}
