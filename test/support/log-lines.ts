import type { Logger } from '../../src/core/log.ts';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A logger that keeps its lines for the test to read. */
export class LogLines implements Logger {
  readonly lines: Line[];
  readonly #bindings: Record<string, unknown>;

  constructor(lines: Line[] = [], bindings: Record<string, unknown> = {}) {
    this.lines = lines;
    this.#bindings = bindings;
  }

  debug = this.#writer('debug');
  info = this.#writer('info');
  warn = this.#writer('warn');
  error = this.#writer('error');

  child(bindings: Record<string, unknown>): LogLines {
    return new LogLines(this.lines, { ...this.#bindings, ...bindings });
  }

  #writer(level: Line['level']): Logger['info'] {
    return (fields, message) => {
      this.lines.push({ level, fields: { ...this.#bindings, ...fields }, message });
    };
  }
}
