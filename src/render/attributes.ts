import { type AttributeRule, kind } from './attribute-names.ts';
import { isThenable } from './pending.ts';
import type { AttributeStep, Tag, TagAttribute } from './seam.ts';
import { isHarmlessStyle, isOneStyleValue, styleRule } from './style.ts';
import type { TagRule } from './tags.ts';
import { Trusted } from './trust.ts';
import { isHarmlessList, isHarmlessUrl } from './url.ts';
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
    if (!attribute.isHarmless) checkText(walk, attribute, value, props, depth);
    walk.out.value(step, value);
    return;
  }
  switch (typeof value) {
    case 'boolean':
      if (!value) return;
      checkText(walk, attribute, '', props, depth);
      walk.out.bareAttribute(step);
      return;
    case 'undefined':
      return;
    case 'number':
    case 'bigint':
      checkText(walk, attribute, String(value), props, depth);
      walk.out.vouchedValue(step, String(value));
      return;
    case 'function':
      // A handler belongs to the browser, where the island that holds it attaches it. In HTML it is nothing.
      if (rule.kind === kind.handler) return;
      writeAttribute(walk, tag, step, walk.call(value, depth + 1), props, depth);
      return;
    case 'object':
      if (value === null) return;
      if (Trusted.is(value)) {
        // The value is vouched for, not the name.
        if (rule.kind === kind.invalid) checkText(walk, attribute, '', props, depth);
        walk.out.vouchedValue(step, value.toString());
        return;
      }
      if (isThenable(value)) {
        walk.later(value, depth + 1, (later, given) => {
          writeAttribute(later, tag, later.out.attribute(tag, rule.key), given, props, depth);
        });
        return;
      }
      if (rule.kind === kind.style && !Array.isArray(value)) {
        walk.out.vouchedValue(step, styleOf(walk, rule, value, depth));
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

/** Refuses what plain data must not say in this attribute. Escaping keeps text in its quotes; this is about what it means. */
function checkText(
  walk: Walk,
  { tag, rule }: TagAttribute,
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

/** The declarations of a `style` object, one after the other. */
function styleOf(walk: Walk, rule: AttributeRule, style: object, depth: number): string {
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
    if (declarations !== '') declarations += '; ';
    declarations += known.open + styleText(walk, rule, property, value, depth);
  }
  return declarations;
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
