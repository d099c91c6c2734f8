// The author's own lines in a stack trace. Vite's runner has already put the places of the sources into it.
import { readFileSync } from 'node:fs';
import { isAbsolute, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeFrameColumns } from '@babel/code-frame';
import { isInside } from '../folder.ts';

export interface Place {
  /** Absolute. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

const FRAME = /^\s*at (?:.*? \()?(?:async )?((?:file:\/\/)?\/[^()]*?|[A-Za-z]:[\\/][^()]*?):(\d+):(\d+)\)?$/;
const OFFSIDE = [`${sep}node_modules${sep}`, `${sep}.vite${sep}`];

/** The places in a stack that lie in the project, outermost call last. Packages are left out. */
export function ownPlaces(stack: string | undefined, project: string): readonly Place[] {
  const places: Place[] = [];
  for (const text of stack?.split('\n') ?? []) {
    const [, where, line, column] = FRAME.exec(text) ?? [];
    if (where === undefined) continue;
    const file = pathOf(where);
    if (isInside(project, file) && !OFFSIDE.some((part) => file.includes(part)))
      places.push({ file, line: Number(line), column: Number(column) });
  }
  return places;
}

function pathOf(where: string): string {
  const plain = where.replace(/[?#].*$/, '');
  try {
    return isAbsolute(plain) ? plain : fileURLToPath(plain);
  } catch {
    return plain;
  }
}

/** The lines around a place, the place marked. Undefined where the file cannot be read. */
export function frameOf({ file, line, column }: Place): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return codeFrameColumns(text, { start: { line, column } }, { linesAbove: 4, linesBelow: 3 });
  } catch {
    return undefined;
  }
}

/** Where the caller of our own code stands in the author's, now. */
export function callSite(project: string): Place | undefined {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 20;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return ownPlaces(stack, project)[0];
}
