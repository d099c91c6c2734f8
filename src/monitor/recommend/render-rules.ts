// What renders spend their time on. Nothing is promoted by itself: an entry that is hot is never the one that an LRU
// displaces, so a place in the static tier would change nothing for it (docs/decisions). What helps is to render less.
import { sum } from '../host-row.ts';
import { ofOneCpu, percent, type Rule, routes, time, worst } from './rule.ts';

const MIN_CALLS = 100;
const HOT = 0.1;

/** More than a tenth of what components take goes into one of them. */
export const hotComponent: Rule = (facts) => {
  const { components, pages } = facts.counts;
  const all = sum(components.map(({ totalMs }) => totalMs));
  const renderMs = sum(pages.map(({ durations }) => durations.sumMs));
  const found = components.filter(
    ({ calls, totalMs }) => calls >= MIN_CALLS && totalMs >= all * HOT && totalMs / calls >= 0.05,
  );
  return worst(found, ({ totalMs }) => totalMs).map(({ component, calls, totalMs }) => ({
    rule: 'hot-component',
    priority: totalMs >= all * 0.3 ? 'medium' : 'low',
    about: component,
    title: `${component} takes a large part of rendering`,
    evidence: `${percent(totalMs, all)} % of the time in components (sampled): ${calls} calls of ${time(totalMs / calls)}`,
    figures: { calls, totalMs: Math.round(totalMs), percent: percent(totalMs, all) },
    advice:
      'Where it depends on few props, make it a fragment with a cache: its HTML is then made once for all pages.',
    effect: `At most ${percent(totalMs, all)} % of the component time of renders, which in all take ${ofOneCpu(renderMs, facts)}.`,
  }));
};

/** A fragment that is made for more than a tenth of all renders, and hardly ever found. */
export const hotFragment: Rule = (facts) => {
  const renders = sum(facts.counts.pages.map(({ durations }) => durations.count));
  const found = facts.counts.fragments.filter(
    ({ hits, stale, misses }) =>
      misses >= MIN_CALLS && misses >= renders * HOT && (hits + stale) / (hits + stale + misses) < 0.2,
  );
  return worst(found, ({ durations }) => durations.sumMs).map(
    ({ fragment, hits, stale, misses, durations }) => ({
      rule: 'hot-fragment',
      priority: 'medium',
      about: fragment,
      title: `The fragment ${fragment} is made again for most pages`,
      evidence: `${misses} renders of ${time(durations.sumMs / Math.max(1, durations.count))}, ${hits + stale} times found, in ${renders} renders of pages`,
      figures: { misses, found: hits + stale, renders },
      advice:
        'Give it a longer cache.ttlMs, or fewer props: every combination of props is an entry of its own.',
      effect: `Up to ${ofOneCpu(durations.sumMs, facts)} less.`,
    }),
  );
};

/** Most renders are of one page whose misses are few for its visitors, and the cache displaces entries. */
export const hotPage: Rule = (facts) => {
  const used = routes(facts.counts);
  const all = sum(used.map(({ requests }) => requests));
  const evictions = sum(facts.counts.tiers.filter(({ tier }) => tier === 'l1').map((tier) => tier.evictions));
  const isStatic = new Set(
    facts.counts.http.cache.filter(({ tier }) => tier === 'static').map(({ route }) => route),
  );
  const held = new Map<string, number>();
  for (const { snapshot } of facts.box.workers)
    for (const { route, entries } of snapshot?.held ?? [])
      held.set(route, Math.max(entries, held.get(route) ?? 0));
  const found = used.filter(
    ({ route, requests, renders }) =>
      requests >= Math.max(1000, all * HOT) &&
      renders >= 20 &&
      evictions >= 1000 &&
      !isStatic.has(route) &&
      // One address, or a handful: a thousand would fill the static tier.
      (held.get(route) ?? 0) <= 10,
  );
  return worst(found, ({ requests }) => requests).map(({ route, requests, renders }) => ({
    rule: 'hot-page',
    priority: 'low',
    about: route,
    title: `${route} is worth a place that nothing displaces`,
    evidence: `${percent(requests, all)} % of all page requests, ${renders} renders, while L1 displaced ${evictions} entries`,
    figures: { requests, renders, evictions, percent: percent(requests, all) },
    advice: 'Set cache.static: true on the page. It is purged like any other; nothing else displaces it.',
    effect: 'A burst of other addresses no longer costs its visitors a render.',
  }));
};
