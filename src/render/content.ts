import { isThenable } from './pending.ts';
import { Trusted } from './trust.ts';
import type { Walk } from './walk.ts';

/** The `text` prop: never markup, so an object in it is a mistake and not an element. */
export function writeText(walk: Walk, text: unknown, depth: number): void {
  switch (typeof text) {
    case 'string':
      walk.out.text(text);
      return;
    case 'number':
    case 'bigint':
      walk.out.plain(String(text));
      return;
    case 'boolean':
    case 'undefined':
      return;
    case 'function':
      writeText(walk, walk.call(text, depth + 1), depth + 1);
      return;
    case 'object':
      if (text === null) return;
      if (Trusted.is(text)) {
        walk.trusted(text, depth + 1);
        return;
      }
      if (isThenable(text)) {
        walk.later(text, depth + 1, (later, given) => writeText(later, given, depth + 1));
        return;
      }
  }
  const given = Array.isArray(text) ? 'an array' : `a value of type ${typeof text}`;
  throw walk.error(
    'E_TEXT_TYPE',
    depth + 1,
    `"text" is ${given}; it takes text, markup goes into "children"`,
  );
}

/** The `html` prop. */
export function writeHtml(walk: Walk, html: unknown, depth: number): void {
  if (Trusted.is(html)) {
    walk.trusted(html, depth + 1);
    return;
  }
  if (html === undefined || html === null || html === false) return;
  if (typeof html === 'function') {
    writeHtml(walk, walk.call(html, depth + 1), depth + 1);
    return;
  }
  if (isThenable(html)) {
    walk.later(html, depth + 1, (later, given) => writeHtml(later, given, depth + 1));
    return;
  }
  throw walk.error(
    'E_UNTRUSTED',
    depth + 1,
    '"html" is written as it is, so it must be vouched for: trusted(...)',
  );
}

/** The inside of a script or style element. Nothing can be escaped there, so all of it must be trusted. */
export function writeCode(walk: Walk, code: unknown, depth: number): void {
  if (Trusted.is(code)) {
    walk.out.trusted(code);
    return;
  }
  if (code === undefined || code === null || typeof code === 'boolean' || code === '') return;
  if (Array.isArray(code)) {
    if (depth >= walk.maxDepth) walk.tooDeep(code, depth);
    for (const part of code) writeCode(walk, part, depth + 1);
    return;
  }
  if (typeof code === 'function') {
    writeCode(walk, walk.call(code, depth), depth + 1);
    return;
  }
  if (isThenable(code)) {
    walk.later(code, depth, (later, given) => writeCode(later, given, depth));
    return;
  }
  throw walk.error(
    'E_UNTRUSTED',
    depth,
    'The content of a script or style element must be vouched for: trusted(...), or json(...) for data',
  );
}
