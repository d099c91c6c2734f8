/**
 * A statement without the values written into it: literals become `?`, comments and needless space go. `$1` stays. For
 * logs and spans, where the same statement with other values is the same statement, and values are data of people.
 */
export function shapeOf(sql: string): string {
  return sql
    .replace(PIECES, (_piece, _tag, comment: string | undefined, name: string | undefined) => {
      if (comment !== undefined) return ' ';
      return name ?? '?';
    })
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * In this order: dollar quotes, comments, what is no literal though it holds quotes or digits (quoted names, words,
 * parameters), strings of every kind, numbers. A quote that is never closed takes the rest.
 */
const PIECES = new RegExp(
  [
    String.raw`(\$(?:[a-z_]\w*)?\$)[\s\S]*?(?:\1|$)`,
    String.raw`(--[^\n]*|/\*[\s\S]*?(?:\*/|$))`,
    String.raw`("(?:[^"]|"")*(?:"|$)|\$\d+)`,
    String.raw`\be'(?:[^'\\]|''|\\[\s\S])*(?:'|$)`,
    String.raw`(?:\b[bnx]|\bu&)?'(?:[^']|'')*(?:'|$)`,
    String.raw`(?<![\w$])(?:0[xob][\da-f_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)\b`,
  ].join('|'),
  'gi',
);
