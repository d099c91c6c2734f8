import { NameTable } from './name-table.ts';
import { isHarmlessUrl } from './url.ts';

/** One property of a `style` object: `backgroundColor` is `background-color`, `--gap` stays. */
export interface StyleRule {
  readonly key: string;
  readonly valid: boolean;
  /** `background-color: ` */
  readonly open: string;
}

const rules = new NameTable<StyleRule>((key) => {
  const name = key.startsWith('--') ? key : key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { key, valid: /^-{0,2}[a-zA-Z][\w-]*$/.test(name), open: `${name}: ` };
});

export function styleRule(property: string): StyleRule {
  return rules.get(property);
}

/** Old browsers ran these from a style sheet. */
const runs = /expression\s*\(|behaviou?r\s*:|-moz-binding|javascript:|vbscript:/i;
const address = /\b(?:url|src|image|image-set)\s*\(\s*(["']?)([^"')]*)\1/gi;

/** A whole `style` attribute: any declarations, but nothing that was ever code. */
export function isHarmlessStyle(style: string): boolean {
  // All that follows needs a parenthesis, or a backslash to hide one.
  if (!style.includes('(') && !style.includes('\\')) return true;
  const plain = withoutComments(style);
  if (plain.includes('\\') || runs.test(plain)) return false;
  for (const [, , url] of plain.matchAll(address)) {
    if (url !== undefined && !isHarmlessUrl(url, true)) return false;
  }
  return true;
}

const suspicious = /[;{}()[\]\\"'<>!@\n\r\f]|\/\*/;

/** One value of a `style` object: it must end where it ends, so that it cannot bring declarations of its own. */
export function isOneStyleValue(value: string): boolean {
  return !suspicious.test(value) || (isClosed(value) && isHarmlessStyle(value));
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']' };

/** The declarations of a whole `style` attribute that are harmless, each by itself. Undefined: none is. */
export function harmlessDeclarations(style: string): string | undefined {
  // `runs` anew: what needs a parenthesis to be harmful may find one in a declaration beside it.
  const kept = declarationsOf(withoutComments(style)).filter(
    (each) => isClosed(each) && !runs.test(each) && isHarmlessStyle(each),
  );
  return kept.length === 0 ? undefined : kept.join('; ');
}

/** Split where a declaration ends: at a semicolon outside of quotes and parentheses. */
function declarationsOf(style: string): string[] {
  const found: string[] = [];
  let quote = '';
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= style.length; at++) {
    const character = style.charAt(at);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (closing[character] !== undefined) depth++;
    else if (character === ')' || character === ']') depth--;
    if (at < style.length && !(character === ';' && quote === '' && depth === 0)) continue;
    const declaration = style.slice(from, at).trim();
    if (declaration !== '') found.push(declaration);
    from = at + 1;
  }
  return found;
}

function withoutComments(style: string): string {
  return style.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, '');
}

/** Quotes, parentheses and brackets are closed, and no declaration, block or comment begins outside of quotes. */
function isClosed(value: string): boolean {
  if (/[\\\n\r\f]|\/\*/.test(value)) return false;
  const open: string[] = [];
  let quote = '';
  for (const character of value) {
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (closing[character] !== undefined) open.push(closing[character]);
    else if (character === ')' || character === ']') {
      if (open.pop() !== character) return false;
    } else if (character === '{' || character === '}' || (character === ';' && open.length === 0))
      return false;
  }
  return quote === '' && open.length === 0;
}
