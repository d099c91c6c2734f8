// `coherent-server top`: asks the running server once a second and draws what it says, until q or Ctrl-C. On what is no
// terminal it prints once. The terminal is left as it was found, whatever ends it.
import { stripVTControlCharacters } from 'node:util';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Frame } from '../../dashboard/data/frame.ts';
import { askOperations, type OperationsAddress } from '../operations-client.ts';
import { topLines } from './top.ts';

const EVERY_MS = 1000;
const OTHER_SCREEN = '\u001b[?1049h\u001b[?25l';
const BACK = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_END_OF_LINE = '\u001b[K';
const BELOW = '\u001b[J';
const DEFAULT_COLUMNS = 100;
/** Whatever ends this process, an uncaught error included. */
const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'] as const;

export interface TopOptions {
  readonly address: OperationsAddress;
  /** Prints and ends. */
  readonly once: boolean;
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly clock: Clock;
}

/** Resolves to the exit code. */
export async function top(options: TopOptions): Promise<number> {
  const { once, input, output } = options;
  if (once || output.isTTY !== true || input.isTTY !== true) return printOnce(options);
  return new Promise((resolve) => new TopScreen(options, resolve).open());
}

async function printOnce({ address, output }: TopOptions): Promise<number> {
  const said = await ask(address);
  if (typeof said === 'string') {
    output.write(`${said}\n`);
    return 1;
  }
  const hasColor = output.isTTY === true && output.hasColors();
  const lines = topLines(said, { columns: output.columns ?? DEFAULT_COLUMNS, hasColor });
  output.write(`${lines.join('\n')}\n`);
  return 0;
}

class TopScreen {
  readonly #options: TopOptions;
  readonly #done: (exitCode: number) => void;
  #said: Frame | string = 'asking ...';
  #timer: Timer | undefined;
  #ended = false;
  readonly #end = (): void => this.#close();
  readonly #draw = (): void => this.#show();
  readonly #key = (typed: Buffer): void => {
    if (typed.includes('q') || typed.includes('\u0003')) this.#close();
  };

  constructor(options: TopOptions, done: (exitCode: number) => void) {
    this.#options = options;
    this.#done = done;
  }

  open(): void {
    const { input, output } = this.#options;
    output.write(OTHER_SCREEN);
    input.setRawMode(true);
    input.on('data', this.#key).resume();
    output.on('resize', this.#draw);
    for (const event of ENDS) process.on(event, this.#end);
    this.#show();
    void this.#round();
  }

  async #round(): Promise<void> {
    const { clock, address } = this.#options;
    this.#said = await ask(address);
    if (this.#ended) return;
    this.#show();
    this.#timer = clock.after(EVERY_MS, () => void this.#round());
  }

  #show(): void {
    const { output } = this.#options;
    const { columns, rows } = output;
    const foot = `\u001b[2mq leaves · ${new Date().toLocaleTimeString('en-GB')}\u001b[0m`;
    const said =
      typeof this.#said === 'string'
        ? [this.#said]
        : topLines(this.#said, { columns, rows: rows - 2, hasColor: output.hasColors() });
    const lines = [...said, '', foot];
    output.write(`${HOME}${lines.map((line) => `${line}${TO_END_OF_LINE}`).join('\r\n')}${BELOW}`);
  }

  #close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    const { input, output } = this.#options;
    input.off('data', this.#key).pause();
    input.setRawMode(false);
    output.off('resize', this.#draw);
    for (const event of ENDS) process.off(event, this.#end);
    output.write(BACK);
    this.#done(0);
  }
}

/** The figures, or why there are none. */
async function ask(address: OperationsAddress): Promise<Frame | string> {
  try {
    const { status, body } = await askOperations(address, 'GET', '/frame');
    if (status === 200) return body as Frame;
    return `The server answered ${status}: ${stripVTControlCharacters(JSON.stringify(body))}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
