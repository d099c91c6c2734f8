// What an author is told of an error: where it is in their own code, with the lines around it; the place in the tree; the
// statement and the spot in it that Postgres points at. Nothing here guesses: what an error does not say is left out.
import { readFileSync } from 'node:fs';
import { RenderError } from '../../render/errors.ts';
import { frameOf, ownPlaces, type Place } from './stack.ts';
import { statementOf } from './watched-db.ts';

export interface FailedStatement {
  readonly text: string;
  /** Into `text`, from 0. Undefined where Postgres names none. */
  readonly position: number | undefined;
  readonly hint: string | undefined;
}

export interface Failure {
  /** `E_...` of ours, `23505` of Postgres, or the error's class. */
  readonly kind: string;
  readonly message: string;
  readonly place: Place | undefined;
  readonly frame: string | undefined;
  /** Way from the root of the tree, such as `root.div.children[3].p`. */
  readonly treePath: string | undefined;
  readonly statement: FailedStatement | undefined;
  readonly stack: string | undefined;
  /** What it was caused by, outermost first. */
  readonly causes: readonly string[];
}

export interface FailedAt {
  /** With the package.json. */
  readonly project: string;
  /** The file of the page, where the error itself names none. */
  readonly pageFile?: string | undefined;
}

const MAX_CAUSES = 8;

export function failureOf(error: unknown, { project, pageFile }: FailedAt): Failure {
  const chain = causesOf(error);
  const places = chain.map((each) => placeIn(each, project));
  // The innermost cause is where it happened; those around it are where it was noticed.
  const place = places.findLast((each) => each !== undefined) ?? viewIn(pageFile);
  const [outermost] = chain;
  const innermost = chain.at(-1);
  const treePath = chain.find((each) => each instanceof RenderError)?.path;
  return {
    kind: kindOf(outermost ?? error),
    message: messageOf(outermost ?? error),
    place,
    frame: (place && frameOf(place)) ?? textOf(innermost, 'frame'),
    treePath: typeof treePath === 'string' ? treePath : undefined,
    statement: failedStatement(chain),
    stack: innermost?.stack,
    causes: chain.slice(1).map((each) => `${kindOf(each)}: ${messageOf(each)}`),
  };
}

interface AnyError extends Error {
  readonly path?: unknown;
}

function causesOf(error: unknown): readonly AnyError[] {
  const chain: AnyError[] = [];
  for (let at = error; at instanceof Error && chain.length < MAX_CAUSES; at = at.cause) chain.push(at);
  return chain;
}

/** What a compiler says of a file goes before the stack, which is then that of the compiler. */
function placeIn(error: Error, project: string): Place | undefined {
  if ('loc' in error && typeof error.loc === 'object' && error.loc !== null) {
    const { loc } = error;
    const file = 'file' in loc && typeof loc.file === 'string' ? loc.file : textOf(error, 'id');
    const line = 'line' in loc ? Number(loc.line) : Number.NaN;
    const column = 'column' in loc ? Number(loc.column) : 0;
    if (file !== undefined && line > 0) return { file, line, column: column + 1 };
  }
  return statementOf(error)?.place ?? ownPlaces(error.stack, project)[0];
}

/** An error of the tree happens after `view` has returned: no call of it is in the stack. */
function viewIn(pageFile: string | undefined): Place | undefined {
  if (pageFile === undefined) return undefined;
  try {
    const lines = readFileSync(pageFile, 'utf8').split('\n');
    const line = lines.findIndex((text) => /\bview\b\s*[:(]/.test(text));
    return { file: pageFile, line: Math.max(line, 0) + 1, column: 1 };
  } catch {
    return undefined;
  }
}

function failedStatement(chain: readonly Error[]): FailedStatement | undefined {
  const text = chain.map((each) => statementOf(each)?.sql).find((sql) => sql !== undefined);
  if (text === undefined) return undefined;
  const position = chain.map((each) => Number(textOf(each, 'position'))).find((each) => each > 0);
  const hint = chain.map((each) => textOf(each, 'hint')).find((each) => each !== undefined);
  return { text, position: position === undefined ? undefined : position - 1, hint };
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Thrown';
  return textOf(error, 'code') ?? error.name;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals read as colours has no place in a page.
const COLOURS = /\u001b\[[\d;]*m/g;

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(COLOURS, '');
}

function textOf(from: object | undefined, name: string): string | undefined {
  if (from === undefined) return undefined;
  const value: unknown = Reflect.get(from, name);
  return typeof value === 'string' && value !== '' ? value.replace(COLOURS, '') : undefined;
}
