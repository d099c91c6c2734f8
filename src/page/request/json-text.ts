// JSON of strangers. Readers disagree about what they should not: of two members of one name some take the first; a member
// `__proto__` is an ordinary one here and something else after a careless merge; and code that walks a value 10,000 levels
// deep runs out of stack. All three are refused, and told of.

/** Deeper is no message of a program. */
const MAX_DEPTH = 100;

/** What begins a string, or changes the depth. */
const TOKEN = /["{}[\]]/g;
const IS_KEY = /[ \t\r\n]*:/y;

/** The value, or why the text is refused. */
export function readJson(text: string): { readonly value: unknown } | string {
  const fault = structuralFault(text);
  if (fault !== undefined) return fault;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return 'The body is not JSON.';
  }
}

/** Of text that need not be JSON. */
function structuralFault(text: string): string | undefined {
  /** Of each object around, the names of its members so far; of a list, nothing. */
  const open: (Set<string> | undefined)[] = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    const [token] = found;
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      if (open.length > MAX_DEPTH) return `The JSON is nested more than ${MAX_DEPTH} levels deep.`;
    } else if (token === '"') {
      const end = endOfString(text, found.index);
      if (end === -1) return undefined;
      TOKEN.lastIndex = end;
      IS_KEY.lastIndex = end;
      const members = open.at(-1);
      if (members === undefined || !IS_KEY.test(text)) continue;
      const name = nameOf(text.slice(found.index, end));
      if (name === '__proto__') return "The JSON has a member '__proto__', which is not taken.";
      if (members.has(name)) return 'The JSON has an object with two members of one name.';
      members.add(name);
    } else open.pop();
  }
  return undefined;
}

/** Behind its closing quote; -1 where there is none. `start`: of its opening one. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  return -1;
}

function nameOf(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
