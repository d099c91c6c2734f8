import { type AttributeRule, kind } from './attribute-names.ts';
import { isThenable } from './pending.ts';
import { isPlainObject, typeInWords } from './plain-object.ts';
import { SafeUrl } from './safe-url.ts';
import type { AttributeStep, Tag, TagAttribute } from './seam.ts';
import { harmlessDeclarations, isHarmlessStyle, isOneStyleValue, styleRule } from './style.ts';
import { Trusted } from './trust.ts';
import { harmlessPart, isHarmlessList, isHarmlessUrl } from './url.ts';
import type { Walk } from './walk.ts';

/** Writes ` name="value"`, or nothing where the value says that the attribute is absent. `step` is its place. */
export function writeAttribute(
  walk: Walk,
  tag: Tag,
  step: AttributeStep,
  value: unknown,
  props: object,
  depth: number,
): void {
  const { attribute } = step;
  const { rule } = attribute;
  if (typeof value === 'string') {
    const written = attribute.isHarmless ? value : admitted(walk, attribute, value, props, depth);
    if (written === value) walk.out.value(step, value);
    else if (written !== undefined) walk.out.vouchedValue(step, written);
    return;
  }
  switch (typeof value) {
    case 'boolean':
      if (value && admitted(walk, attribute, '', props, depth) !== undefined) walk.out.bareAttribute(step);
      return;
    case 'undefined':
      return;
    case 'number':
    case 'bigint': {
      const written = admitted(walk, attribute, String(value), props, depth);
      if (written !== undefined) walk.out.vouchedValue(step, written);
      return;
    }
    case 'function':
      // A handler belongs to the browser, where the island that holds it attaches it. In HTML it is nothing.
      if (rule.kind === kind.handler) return;
      if (!isPlainObject(props)) throw walk.nodeError(props, depth + 1);
      writeAttribute(walk, tag, step, walk.call(value, depth + 1), props, depth);
      return;
    case 'object':
      if (value === null) return;
      if (Trusted.is(value)) {
        // The value is vouched for, not the name.
        if (rule.kind === kind.invalid) throw nameError(walk, rule, depth);
        walk.out.vouchedValue(step, value.toString());
        return;
      }
      if (SafeUrl.is(value)) {
        writeSafeUrl(walk, tag, step, value, props, depth);
        return;
      }
      if (isThenable(value)) {
        walk.later(value, depth + 1, (later, given) => {
          writeAttribute(later, tag, later.out.attribute(tag, rule.key), given, props, depth);
        });
        return;
      }
      if (rule.isClass && Array.isArray(value)) {
        const classes = classList(walk, rule, value, depth);
        if (classes !== '' && !walk.out.knownValue(step, classes)) {
          writeAttribute(walk, tag, step, classes, props, depth);
        }
        return;
      }
      if (rule.kind === kind.style && isPlainObject(value)) {
        const style = styleOf(walk, rule, value, depth);
        if (style !== undefined) walk.out.vouchedValue(step, style);
        return;
      }
  }
  throw attributeError(
    walk,
    'E_ATTRIBUTE_TYPE',
    rule,
    depth,
    `is ${typeInWords(value)}; it takes text, a number or a boolean`,
  );
}

/** Its scheme has been looked at, against the author's list; where it stands has not. */
function writeSafeUrl(
  walk: Walk,
  tag: Tag,
  step: AttributeStep,
  url: SafeUrl,
  props: object,
  depth: number,
): void {
  const { attribute } = step;
  const text = url.toString();
  const isVouchedFor =
    attribute.rule.kind === kind.url && attribute.tag.guard?.(attribute.rule.name, text, props) === undefined;
  if (isVouchedFor) walk.out.vouchedValue(step, text);
  else writeAttribute(walk, tag, step, text, props, depth);
}

/**
 * What of plain data may be said in this attribute: all of it, a part, or nothing (undefined). What is left out is told, and
 * the page lives: it may be one row's. Escaping keeps text in its quotes; this is about what it means. Errors: what
 * only the page's own code can have put there.
 */
function admitted(
  walk: Walk,
  { tag, rule }: TagAttribute,
  text: string,
  props: object,
  depth: number,
): string | undefined {
  const refusal = tag.guard?.(rule.name, text, props);
  if (refusal !== undefined) {
    if (!tag.isEmbedding) throw untrusted(walk, rule, depth, `is ${refusal}`);
    return leaveOut(walk, rule, depth, `is ${refusal}`, text);
  }
  switch (rule.kind) {
    case kind.url:
      if (isHarmlessUrl(text, tag.isImage)) return text;
      return leaveOut(walk, rule, depth, 'is an address that could run a script', text);
    case kind.urlList: {
      if (isHarmlessList(text, tag.isImage)) return text;
      leaveOut(walk, rule, depth, 'has an address that could run a script', text);
      return harmlessPart(rule.name, text, tag.isImage);
    }
    case kind.style:
      if (isHarmlessStyle(text)) return text;
      leaveOut(walk, rule, depth, 'has a declaration that could run a script', text);
      return harmlessDeclarations(text);
    case kind.handler:
      throw untrusted(walk, rule, depth, 'is code');
    case kind.document:
      throw untrusted(walk, rule, depth, 'is a document');
    case kind.invalid:
      throw isPlainObject(props) ? nameError(walk, rule, depth) : walk.nodeError(props, depth + 1);
    default:
      return text;
  }
}

function leaveOut(walk: Walk, rule: AttributeRule, depth: number, problem: string, value: string): undefined {
  const way =
    'so it was left out; an address can be checked with safeUrl(), text of the page itself is trusted(...)';
  walk.tell(depth + 1, `${named(rule)} ${problem}, ${way}`, value);
}

function untrusted(walk: Walk, rule: AttributeRule, depth: number, problem: string) {
  return attributeError(
    walk,
    'E_UNTRUSTED',
    rule,
    depth,
    `${problem}, so it must be vouched for: trusted(...)`,
  );
}

function nameError(walk: Walk, rule: AttributeRule, depth: number) {
  const problem = 'is no attribute name: letters, digits and "-", "_", ".", ":"';
  return attributeError(walk, 'E_ATTRIBUTE_NAME', rule, depth, problem);
}

/** `['card', isNew && 'new']` as one value: the texts in it. '' where there is none. */
function classList(walk: Walk, rule: AttributeRule, list: readonly unknown[], depth: number): string {
  let classes = '';
  for (const each of list) {
    if (each === undefined || each === null || each === false || each === '' || each === 0) continue;
    const text = Array.isArray(each) ? classList(walk, rule, each, depth) : each;
    if (typeof text !== 'string') {
      const problem = `has ${typeInWords(each)} in its list; it takes text, and false or null for none`;
      throw attributeError(walk, 'E_ATTRIBUTE_TYPE', rule, depth, problem);
    }
    if (text !== '') classes = classes === '' ? text : `${classes} ${text}`;
  }
  return classes;
}

/** The declarations of a `style` object, one after the other. Undefined: there is none. */
function styleOf(walk: Walk, rule: AttributeRule, style: object, depth: number): string | undefined {
  let declarations = '';
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
    const text = styleText(walk, rule, property, value, depth);
    if (text === undefined) continue;
    if (declarations !== '') declarations += '; ';
    declarations += known.open + text;
  }
  return declarations === '' ? undefined : declarations;
}

/** Undefined: to be left out. */
function styleText(
  walk: Walk,
  rule: AttributeRule,
  property: string,
  value: unknown,
  depth: number,
): string | undefined {
  if (typeof value === 'number') return String(value);
  if (Trusted.is(value)) return value.toString();
  if (typeof value !== 'string') {
    throw attributeError(
      walk,
      'E_ATTRIBUTE_TYPE',
      rule,
      depth,
      `has ${typeInWords(value)} as "${property}"; it takes text or a number`,
    );
  }
  if (isOneStyleValue(value)) return value;
  return leaveOut(walk, rule, depth, `has a "${property}" that is more than one value`, value);
}

function attributeError(
  walk: Walk,
  code: 'E_UNTRUSTED' | 'E_ATTRIBUTE_NAME' | 'E_ATTRIBUTE_TYPE',
  rule: AttributeRule,
  depth: number,
  problem: string,
) {
  return walk.error(code, depth + 1, `${named(rule)} ${problem}`);
}

function named(rule: AttributeRule): string {
  return JSON.stringify(rule.key.slice(0, 60));
}
