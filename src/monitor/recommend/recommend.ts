import { hotUncached, lowHitRate, manyVariants, smallL1 } from './cache-rules.ts';
import { manyDependencies, purgedOften, shortTtl } from './change-rules.ts';
import { slowStatement, smallPool } from './data-rules.ts';
import { hotComponent, hotFragment, hotPage } from './render-rules.ts';
import type { Facts, Priority, Recommendation, Rule } from './rule.ts';

const rules: readonly Rule[] = [
  lowHitRate,
  hotUncached,
  shortTtl,
  purgedOften,
  manyVariants,
  manyDependencies,
  smallL1,
  smallPool,
  slowStatement,
  hotComponent,
  hotFragment,
  hotPage,
];

const order: Readonly<Record<Priority, number>> = { high: 0, medium: 1, low: 2 };

/** Most urgent first. */
export function recommendations(facts: Facts): Recommendation[] {
  return rules.flatMap((rule) => rule(facts)).sort((a, b) => order[a.priority] - order[b.priority]);
}
