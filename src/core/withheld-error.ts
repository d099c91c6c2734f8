// An error whose message may quote a visitor: their name, what they typed, a row that is theirs. Where it came from and of what kind it
// is can be logged; its words only where the operator wants them (LOG_PERSONAL_ERRORS).

const WITHHELD = 'withheld: it may quote a visitor (LOG_PERSONAL_ERRORS=on writes it)';
const WORD = /^[\w.-]{1,64}$/;
const MAX_CAUSES = 5;

/** The same kind of error, thrown at the same place, without its words. */
export function withoutWords(error: unknown, depth = 0): Error {
  const inner = error instanceof Error && error.cause !== undefined && depth < MAX_CAUSES;
  const withheld = new Error(WITHHELD, inner ? { cause: withoutWords(error.cause, depth + 1) } : {});
  withheld.name = error instanceof Error ? (word(error.name) ?? 'Error') : typeof error;
  withheld.stack = `${withheld.name}: ${WITHHELD}\n${error instanceof Error ? framesOf(error) : ''}`;
  for (const key of ['code', 'sqlState'] as const) {
    const value = error instanceof Error ? word(Reflect.get(error, key)) : undefined;
    if (value !== undefined) Object.assign(withheld, { [key]: value });
  }
  return withheld;
}

/** What stands behind the message, and is none of it: a message may hold lines that look like frames. */
function framesOf({ stack, message }: Error): string {
  if (typeof stack !== 'string') return '';
  const at = stack.indexOf(message);
  if (at === -1) return '';
  const frames = stack.slice(at + message.length).split('\n');
  return frames.filter((line) => /^\s+at /.test(line)).join('\n');
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && WORD.test(value) ? value : undefined;
}
