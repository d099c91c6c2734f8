// What the cache could do and does not: hits that could be, room that is missing, keys that are too many.
import { sum } from '../host-row.ts';
import { ofOneCpu, percent, type Rule, routes, size, time, worst } from './rule.ts';

const MIN_REQUESTS = 500;

/** Under half of all page requests are hits. */
export const lowHitRate: Rule = (facts) => {
  const used = routes(facts.counts);
  const requests = sum(used.map((use) => use.requests));
  const hits = sum(used.map((use) => use.hits));
  if (requests < MIN_REQUESTS || hits / requests >= 0.5) return [];
  const missing = worst(used, (use) => use.requests - use.hits, 3);
  const names = missing.map(({ route, ...use }) => `${route} (${use.requests - use.hits})`).join(', ');
  const renderMs = sum(used.map((use) => use.renderMs));
  // At four hits in five instead.
  const wouldStay = (requests * 0.2) / (requests - hits);
  return [
    {
      rule: 'low-hit-rate',
      priority: 'high',
      about: 'L1',
      title: 'Few requests are answered from the cache',
      evidence: `${percent(hits, requests)} % of ${requests} page requests were hits; most misses: ${names}`,
      figures: { requests, hits, hitPercent: percent(hits, requests) },
      advice:
        'Look at the pages named, most misses first: explain shows their keys, and the other recommendations why they do not stay.',
      effect: `At 80 % hits renders would take ${ofOneCpu(renderMs * wouldStay, facts)} instead of ${ofOneCpu(renderMs, facts)}.`,
    },
  ];
};

/** A page that many ask for and that is never kept. */
export const hotUncached: Rule = (facts) => {
  const used = routes(facts.counts);
  const all = sum(used.map((use) => use.requests));
  const stored = new Map(facts.counts.lifetimes.map((life) => [life.route, life.stored]));
  const found = used.filter(
    ({ route, requests, hits, renders }) =>
      renders >= MIN_REQUESTS && requests >= all * 0.05 && hits === 0 && (stored.get(route) ?? 0) === 0,
  );
  return worst(found, (use) => use.renderMs).map(({ route, requests, renders, renderMs, meanRenderMs }) => ({
    rule: 'hot-uncached',
    priority: 'high',
    about: route,
    title: `${route} is rendered for every request`,
    evidence: `${requests} requests (${percent(requests, all)} % of all), ${renders} renders of ${time(meanRenderMs)} each, and no entry was ever kept`,
    figures: { requests, renders, meanRenderMs },
    advice:
      'Give the page cache.ttlMs above 0: changes in the database purge it all the same. If its TTL is not 0, the log says what could not be tracked.',
    effect: `Kept for one second, it would be rendered once a second and address instead of ${Math.round((renders * 10_000) / Math.max(1, facts.spanMs)) / 10} times: up to ${ofOneCpu(renderMs, facts)} less.`,
  }));
};

/** A page with more entries than readers. */
export const manyVariants: Rule = ({ box, counts }) => {
  const held = new Map<string, { entries: number; bytes: number }>();
  for (const { snapshot } of box.workers) {
    for (const { route, entries, bytes } of snapshot?.held ?? []) {
      const before = held.get(route) ?? { entries: 0, bytes: 0 };
      held.set(route, { entries: before.entries + entries, bytes: before.bytes + bytes });
    }
  }
  const uses = new Map(routes(counts).map((use) => [use.route, use]));
  const found = counts.lifetimes.flatMap(({ route, stored }) => {
    const hits = uses.get(route)?.hits ?? 0;
    const kept = held.get(route) ?? { entries: 0, bytes: 0 };
    return stored >= MIN_REQUESTS && hits < stored / 2 && kept.entries >= MIN_REQUESTS / 2
      ? [{ route, stored, hits, ...kept }]
      : [];
  });
  return worst(found, ({ bytes }) => bytes).map(({ route, stored, hits, entries, bytes }) => ({
    rule: 'many-variants',
    priority: 'medium',
    about: route,
    title: `${route} is kept in more variants than are read`,
    evidence: `${stored} entries were made and ${hits} requests were answered from them; ${entries} are held now, ${size(bytes)}`,
    figures: { stored, hits, entries, bytes },
    advice:
      'Narrow what is in its key: coarser query schemas (a list of allowed values, a bounded page number), fewer headers in vary; or cache.ttlMs: 0 where pages are not asked for twice.',
    effect: `Frees up to ${size(bytes)} of L1 for pages that are read.`,
  }));
};

/** Entries are displaced and wanted again soon after. */
export const smallL1: Rule = (facts) => {
  const tiers = facts.counts.tiers.filter(({ tier }) => tier === 'l1');
  const evictions = sum(tiers.map((tier) => tier.evictions));
  const returned = sum(tiers.map((tier) => tier.returned));
  if (returned < 100 || returned < evictions * 0.1) return [];
  const levels = facts.box.workers.flatMap(({ snapshot }) => snapshot?.tiers ?? []);
  const maxBytes = sum(levels.filter(({ tier }) => tier === 'l1').map((level) => level.maxBytes ?? 0));
  const renders = sum(facts.counts.pages.map(({ durations }) => durations.count));
  const renderMs = sum(facts.counts.pages.map(({ durations }) => durations.sumMs));
  const meanMs = renders === 0 ? 0 : renderMs / renders;
  return [
    {
      rule: 'small-l1',
      priority: returned > evictions * 0.3 ? 'high' : 'medium',
      about: 'L1_MAX_BYTES',
      title: 'L1 is too small for what is asked for',
      evidence: `${returned} of ${evictions} displaced entries were wanted again within a minute; L1 has ${size(maxBytes)} on this host`,
      figures: { evictions, returned, maxBytes },
      advice: 'Raise L1_MAX_BYTES, if the memory of the host allows it.',
      effect: `${returned} more hits in memory in ${time(facts.spanMs)}; where L2 and L3 had them not, as many renders of ${time(meanMs)} less.`,
    },
  ];
};
