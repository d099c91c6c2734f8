/** JSX's own rule for text: lines are trimmed where they meet a line end, empty ones are dropped, the rest joined by a space. */
export function lines(text: string): string {
  const all = text.split(/\r\n|\n|\r/);
  return all
    .map((line, i) => {
      const left = i === 0 ? line : line.replace(/^[ \t]+/, '');
      return i === all.length - 1 ? left : left.replace(/[ \t]+$/, '');
    })
    .filter((line) => line !== '')
    .join(' ');
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  copy: '©',
  gt: '>',
  hellip: '…',
  laquo: '«',
  larr: '←',
  ldquo: '“',
  lsquo: '‘',
  lt: '<',
  mdash: '—',
  middot: '·',
  nbsp: '\u00a0',
  ndash: '–',
  quot: '"',
  raquo: '»',
  rarr: '→',
  rdquo: '”',
  rsquo: '’',
  times: '×',
};

/** Text with its character references read. Undefined: it has one that only the compiler knows. */
export function decoded(text: string): string | undefined {
  let isKnown = true;
  const read = text.replace(/&(?:#x([\da-fA-F]+)|#(\d+)|(\w+));/g, (reference, hex, decimal, name) => {
    const code =
      hex !== undefined ? Number.parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : undefined;
    if (code !== undefined && code <= 0x10ffff) return String.fromCodePoint(code);
    const character = Object.hasOwn(named, String(name)) ? named[String(name)] : undefined;
    if (character === undefined) isKnown = false;
    return character ?? reference;
  });
  return isKnown ? read : undefined;
}
