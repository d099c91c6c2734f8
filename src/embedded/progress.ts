import type { Logger } from '../core/log.ts';

/** Shows how far a long task is: a bar on a terminal, one log line for each step elsewhere. */
export interface Progress {
  step(label: string, total: number): ProgressStep;
}

export interface ProgressStep {
  advance(by: number): void;
  done(): void;
}

/** What is needed of process.stderr. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_WIDTH = 24;
const ERASE_LINE = '\r\u001b[2K';

export function progressOn(screen: Screen, logger: Logger): Progress {
  return screen.isTTY === true ? new Bars(screen) : new Lines(logger);
}

class Lines implements Progress {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  step(label: string): ProgressStep {
    let rows = 0;
    return {
      advance: (by) => {
        rows += by;
      },
      done: () => this.#logger.info({ step: label, count: rows }, 'preparing the database'),
    };
  }
}

class Bars implements Progress {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  step(label: string, total: number): ProgressStep {
    let rows = 0;
    let shown = '';
    const draw = () => {
      const line = barLine(label, rows, total).slice(0, (this.#screen.columns || 80) - 1);
      if (line === shown) return;
      shown = line;
      this.#screen.write(ERASE_LINE + line);
    };
    draw();
    return {
      advance: (by) => {
        rows += by;
        draw();
      },
      done: () => {
        draw();
        this.#screen.write('\n');
      },
    };
  }
}

export function barLine(label: string, rows: number, total: number): string {
  const share = total <= 0 ? 1 : Math.min(1, rows / total);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `  ${label.padEnd(12)} ${bar} ${percent}  ${rows.toLocaleString('en')}`;
}
