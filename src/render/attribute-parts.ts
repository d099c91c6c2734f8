import type { AttributeRule } from './attribute-names.ts';
import { writeAttribute } from './attributes.ts';
import { isThenable } from './pending.ts';
import { typeInWords } from './plain-object.ts';
import { SafeUrl } from './safe-url.ts';
import type { HoleAttribute } from './template-shape.ts';
import { Trusted } from './trust.ts';
import type { Walk } from './walk.ts';

/**
 * Writes an attribute that has static parts beside its values, `class="card ${size}"`, when all of them are there. What it
 * means is looked at as a whole: no value is vouched for here.
 */
export function writeParts(
  walk: Walk,
  { tag, name, names }: HoleAttribute,
  parts: readonly string[],
  values: readonly unknown[],
  depth: number,
): void {
  const write = (on: Walk, given: readonly unknown[]) => {
    const step = on.out.attribute(tag, name);
    const text = together(on, step.attribute.rule, parts, given, depth);
    writeAttribute(on, tag, step, text, names, depth);
  };
  const called = values.map((value) => (typeof value === 'function' ? walk.call(value, depth + 1) : value));
  if (!called.some(isThenable)) write(walk, called);
  else walk.later(Promise.all(called), depth + 1, (later, given) => write(later, given as unknown[]));
}

function together(
  walk: Walk,
  rule: AttributeRule,
  parts: readonly string[],
  values: readonly unknown[],
  depth: number,
): string {
  let text = parts[0] ?? '';
  for (const [i, value] of values.entries()) text += textOf(walk, rule, value, depth) + (parts[i + 1] ?? '');
  return text;
}

function textOf(walk: Walk, rule: AttributeRule, value: unknown, depth: number): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value === undefined || value === null || typeof value === 'boolean') return '';
  if (Trusted.is(value) || SafeUrl.is(value)) return value.toString();
  throw walk.error(
    'E_ATTRIBUTE_TYPE',
    depth + 1,
    `A part of "${rule.name}" is ${typeInWords(value)}; it takes text or a number`,
  );
}
