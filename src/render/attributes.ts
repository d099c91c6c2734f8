import { type AttributeRule, kind } from './attribute-names.ts';
import { isThenable } from './pending.ts';
import { isHarmlessStyle, isOneStyleValue, styleRule } from './style.ts';
import type { TagRule } from './tags.ts';
import { Trusted } from './trust.ts';
import { isHarmlessList, isHarmlessUrl } from './url.ts';
import type { Walk } from './walk.ts';

const quote = '"';
const separator = '; ';

/** Writes ` name="value"`, or nothing where the value says that the attribute is absent. */
export function writeAttribute(
  walk: Walk,
  tag: TagRule,
  rule: AttributeRule,
  value: unknown,
  props: object,
  depth: number,
): void {
  switch (typeof value) {
    case 'string':
      if (rule.kind !== kind.plain || tag.guard !== undefined)
        checkText(walk, tag, rule, value, props, depth);
      writeText(walk, rule, value);
      return;
    case 'boolean':
      if (!value) return;
      checkText(walk, tag, rule, '', props, depth);
      walk.out.piece(rule.bare);
      return;
    case 'undefined':
      return;
    case 'number':
    case 'bigint':
      checkText(walk, tag, rule, String(value), props, depth);
      walk.out.piece(rule.open);
      walk.out.plain(String(value));
      walk.out.piece(quote);
      return;
    case 'function':
      // A handler belongs to the browser, where the island that holds it attaches it. In HTML it is nothing.
      if (rule.kind === kind.handler) return;
      writeAttribute(walk, tag, rule, walk.call(value, depth + 1), props, depth);
      return;
    case 'object':
      if (value === null) return;
      if (Trusted.is(value)) {
        writeText(walk, rule, value.toString());
        return;
      }
      if (isThenable(value)) {
        walk.later(value, depth + 1, (later, given) => writeAttribute(later, tag, rule, given, props, depth));
        return;
      }
      if (rule.kind === kind.style && !Array.isArray(value)) {
        writeStyle(walk, rule, value, depth);
        return;
      }
  }
  const given = Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
  throw attributeError(
    walk,
    'E_ATTRIBUTE_TYPE',
    rule,
    depth,
    `is ${given}; it takes text, a number or a boolean`,
  );
}

function writeText(walk: Walk, rule: AttributeRule, text: string): void {
  walk.out.piece(rule.open);
  if (rule.isClass) walk.out.literal(text);
  else walk.out.text(text);
  walk.out.piece(quote);
}

/** Refuses what plain data must not say in this attribute. Escaping keeps text in its quotes; this is about what it means. */
function checkText(
  walk: Walk,
  tag: TagRule,
  rule: AttributeRule,
  text: string,
  props: object,
  depth: number,
): void {
  const reason = objection(tag, rule, text, props);
  if (reason === undefined) return;
  throw attributeError(walk, reason.code, rule, depth, reason.problem);
}

interface Objection {
  readonly code: 'E_UNTRUSTED' | 'E_ATTRIBUTE_NAME';
  readonly problem: string;
}

function objection(tag: TagRule, rule: AttributeRule, text: string, props: object): Objection | undefined {
  const reason = tag.guard?.(rule.name, text, props);
  if (reason !== undefined) return untrusted(`is ${reason}`);
  switch (rule.kind) {
    case kind.url:
      return isHarmlessUrl(text, tag.isImage)
        ? undefined
        : untrusted('is an address that could run a script');
    case kind.urlList:
      return isHarmlessList(text, tag.isImage)
        ? undefined
        : untrusted('has an address that could run a script');
    case kind.style:
      return isHarmlessStyle(text) ? undefined : untrusted('has a style that could run a script');
    case kind.handler:
      return untrusted('is code');
    case kind.document:
      return untrusted('is a document');
    case kind.invalid:
      return {
        code: 'E_ATTRIBUTE_NAME',
        problem: 'is no attribute name: letters, digits and "-", "_", ".", ":"',
      };
    default:
      return undefined;
  }
}

function untrusted(problem: string): Objection {
  return { code: 'E_UNTRUSTED', problem: `${problem}, so it must be vouched for: trusted(...)` };
}

function writeStyle(walk: Walk, rule: AttributeRule, style: object, depth: number): void {
  const { out } = walk;
  let isFirst = true;
  out.piece(rule.open);
  for (const [property, value] of Object.entries(style)) {
    if (value === undefined || value === null || value === false || value === '') continue;
    const known = styleRule(property);
    if (!known.valid) {
      throw attributeError(
        walk,
        'E_ATTRIBUTE_NAME',
        rule,
        depth,
        `has ${JSON.stringify(property.slice(0, 60))}, which is no property`,
      );
    }
    if (!isFirst) out.piece(separator);
    isFirst = false;
    out.piece(known.open);
    out.text(styleText(walk, rule, property, value, depth));
  }
  out.piece(quote);
}

function styleText(walk: Walk, rule: AttributeRule, property: string, value: unknown, depth: number): string {
  if (typeof value === 'number') return String(value);
  if (Trusted.is(value)) return value.toString();
  if (typeof value !== 'string') {
    throw attributeError(
      walk,
      'E_ATTRIBUTE_TYPE',
      rule,
      depth,
      `has a ${typeof value} as "${property}"; it takes text or a number`,
    );
  }
  if (!isOneStyleValue(value)) {
    throw attributeError(
      walk,
      'E_UNTRUSTED',
      rule,
      depth,
      `has a "${property}" that is more than one value, so it must be vouched for: trusted(...)`,
    );
  }
  return value;
}

function attributeError(
  walk: Walk,
  code: 'E_UNTRUSTED' | 'E_ATTRIBUTE_NAME' | 'E_ATTRIBUTE_TYPE',
  rule: AttributeRule,
  depth: number,
  problem: string,
) {
  const name = JSON.stringify(rule.key.slice(0, 60));
  return walk.error(code, depth + 1, `${name} ${problem}`);
}
