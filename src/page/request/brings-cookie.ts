/**
 * Whether a Cookie header holds a cookie of one of these names. It only looks for names: what their values are worth is found
 * out where they are read. Cheap, because each hit of a page with holes asks it.
 */
export function bringsCookie(header: string, names: readonly string[]): boolean {
  for (const name of names) {
    for (let at = header.indexOf(name); at !== -1; at = header.indexOf(name, at + 1)) {
      if (beginsPair(header, at) && endsName(header, at + name.length)) return true;
    }
  }
  return false;
}

/** After the start, or a semicolon and spaces. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && isSpace(header.charCodeAt(before))) before--;
  return before < 0 || header[before] === ';';
}

/** Before an equals sign, with spaces between at most. */
function endsName(header: string, at: number): boolean {
  let after = at;
  while (after < header.length && isSpace(header.charCodeAt(after))) after++;
  return header[after] === '=';
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}
