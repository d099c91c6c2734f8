// Types are checked by the project's own TypeScript, in a process of its own and at a low priority: a page is shown before
// the compiler has an opinion of it. A change while it runs makes it begin again.
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isFile } from '../folder.ts';
import { frameOf } from './stack.ts';

export interface TypeMistake {
  /** Absolute. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `TS2322`. */
  readonly code: string;
  readonly message: string;
  readonly frame: string | undefined;
}

const MISTAKE = /^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/;
/** Of a change, the compiler reads the files of the whole save. */
const SETTLE_MS = 50;

/** Where the project has no TypeScript or no tsconfig.json its types are its own business. */
export function typeChecker(project: string): readonly string[] | undefined {
  if (!isFile(join(project, 'tsconfig.json'))) return undefined;
  try {
    const description = createRequire(join(project, 'package.json')).resolve('typescript/package.json');
    return [join(dirname(description), 'bin', 'tsc'), '--noEmit', '--pretty', 'false'];
  } catch {
    return undefined;
  }
}

export class TypeCheck {
  readonly #project: string;
  readonly #command: readonly string[];
  readonly #onResult: (mistakes: readonly TypeMistake[]) => void;
  #running: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    project: string,
    command: readonly string[],
    onResult: (mistakes: readonly TypeMistake[]) => void,
  ) {
    this.#project = project;
    this.#command = command;
    this.#onResult = onResult;
  }

  /** Something changed. */
  look(): void {
    if (this.#closed) return;
    this.#running?.kill('SIGKILL');
    this.#running = undefined;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), SETTLE_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#running?.kill('SIGKILL');
  }

  #run(): void {
    const child = spawn(process.execPath, [...this.#command], {
      cwd: this.#project,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#running = child;
    yieldTo(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', () => {});
    child.once('close', () => {
      if (this.#running !== child) return;
      this.#running = undefined;
      this.#onResult(mistakesIn(output, this.#project));
    });
  }
}

/** Runs it once; resolves to what is wrong. */
export function checkTypes(project: string, command: readonly string[]): Promise<readonly TypeMistake[]> {
  return new Promise((settle) => {
    const check = new TypeCheck(project, command, (mistakes) => {
      check.close();
      settle(mistakes);
    });
    check.look();
  });
}

/** Lines that continue a mistake are indented. */
function mistakesIn(output: string, project: string): readonly TypeMistake[] {
  const found: { head: RegExpExecArray; lines: string[] }[] = [];
  for (const text of output.split('\n')) {
    const head = MISTAKE.exec(text);
    if (head !== null) found.push({ head, lines: [head[5] ?? ''] });
    else if (text.startsWith(' ')) found.at(-1)?.lines.push(text);
  }
  return found.map(({ head: [, path = '', line, column, code = ''], lines }) => {
    const place = { file: resolve(project, path), line: Number(line), column: Number(column) };
    return { ...place, code, message: lines.join('\n'), frame: frameOf(place) };
  });
}

function yieldTo({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It may be over, or the system does not allow it.
  }
}
