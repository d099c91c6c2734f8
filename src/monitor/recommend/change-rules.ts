// How pages follow their data: lives that are too short for how rarely it changes, purges that hit too often or too much.
import type { Counts } from '../counts.ts';
import { ofOneCpu, percent, type Rule, routes, time, worst } from './rule.ts';

/** Renewed again and again into the same bytes. */
export const shortTtl: Rule = (facts) => {
  const uses = new Map(routes(facts.counts).map((use) => [use.route, use]));
  const found = facts.counts.lifetimes.filter(
    ({ ranOut, unchanged, purged }) => ranOut >= 50 && unchanged >= ranOut * 0.8 && purged < ranOut,
  );
  const saved = (route: string, unchanged: number) => (uses.get(route)?.meanRenderMs ?? 0) * unchanged;
  return worst(found, ({ route, unchanged }) => saved(route, unchanged)).map(
    ({ route, stored, lifetimeMs, ranOut, unchanged, purged }) => {
      const ttlMs = stored === 0 ? 0 : lifetimeMs / stored;
      const changes = ranOut - unchanged + purged;
      const rate =
        changes === 0 ? 'none changed' : `one in ${Math.round((ranOut + purged) / changes)} had changed`;
      return {
        rule: 'short-ttl',
        priority: saved(route, unchanged) > facts.spanMs * 0.05 ? 'high' : 'medium',
        about: route,
        title: `${route} is renewed more often than it changes`,
        evidence: `its entries live ${time(ttlMs)}; ${ranOut} were made again because their time was over, ${unchanged} of them into the same bytes (${rate})`,
        figures: { ttlMs: Math.round(ttlMs), ranOut, unchanged, purged },
        advice:
          'Raise cache.ttlMs of the page: what is read from the database purges it when it changes. Leave it where a page reads what nothing purges (the time, another server).',
        effect: `${unchanged} renders less in ${time(facts.spanMs)}: ${ofOneCpu(saved(route, unchanged), facts)}.`,
      };
    },
  );
};

/** Purged soon after it was made, over and over. */
export const purgedOften: Rule = (facts) => {
  const found = facts.counts.lifetimes.filter(
    ({ purged, purgedAgeMs, purgedUnread }) =>
      purged >= 50 && (purgedAgeMs / purged < 10_000 || purgedUnread >= purged * 0.5),
  );
  return worst(found, ({ purged }) => purged).map(({ route, stored, purged, purgedAgeMs, purgedUnread }) => {
    const causes = causesOf(facts.counts, route);
    const [first] = causes;
    const named = causes.map(({ cause, entries }) => `${cause} (${percent(entries, purged)} %)`).join(', ');
    return {
      rule: 'purged-often',
      priority: purgedUnread >= purged * 0.5 ? 'high' : 'medium',
      about: route,
      title: `${route} is purged about as soon as it is made`,
      evidence: `${purged} of ${stored} entries were purged, ${time(purgedAgeMs / purged)} old on average, ${purgedUnread} of them never read; because of ${named}`,
      figures: {
        stored,
        purged,
        purgedUnread,
        meanAgeMs: Math.round(purgedAgeMs / purged),
        cause: first?.cause ?? '',
      },
      advice: adviceFor(first?.cause ?? ''),
      effect: `Up to ${purged} renders less in ${time(facts.spanMs)}.`,
    };
  });
};

/** Entries with hundreds of keys: costly to keep, and anything purges them. */
export const manyDependencies: Rule = ({ counts }) => {
  const found = counts.lifetimes.filter(({ stored, keys }) => stored >= 20 && keys / stored > 200);
  return worst(found, ({ keys, stored }) => keys / stored).map(({ route, stored, keys, purged }) => ({
    rule: 'many-dependencies',
    priority: 'low',
    about: route,
    title: `${route} depends on very much`,
    evidence: `${Math.round(keys / stored)} dependency keys an entry on average, over ${stored} entries; ${purged} were purged`,
    figures: { keysPerEntry: Math.round(keys / stored), stored, purged },
    advice:
      'Read fewer rows (a smaller page of a list), or move parts of the page into fragments of their own, or declare one application key for what changes together.',
    effect: `About ${Math.round(((keys / stored) * 40) / 1024)} KiB of index less an entry, and fewer purges that hit it.`,
  }));
};

function causesOf({ purgeCauses }: Counts, route: string) {
  return worst(
    purgeCauses.filter((each) => each.route === route),
    ({ entries }) => entries,
    3,
  );
}

function adviceFor(cause: string): string {
  if (cause === '(new epoch)')
    return 'The epoch of the purges changed while they lived: see the log for why (Redis came back empty, the slot was lost).';
  if (cause.endsWith('@rows'))
    return `Any row that comes or goes in ${cause.slice(0, -5)} purges it: a list or a count reads them all. Narrow it by a column (WHERE owner = $1), or give the list a fragment of its own.`;
  if (cause.endsWith('#') || cause.endsWith('='))
    return `Rows of ${cause.replace(/[#=].*$/, '')} that it shows change all the time. If it is columns that no page reads (a counter), ALTER TABLE ... REPLICA IDENTITY FULL tells them apart. Else put what changes into a fragment of its own.`;
  if (cause.endsWith(':'))
    return `The application purges ${cause}* often: purge it only when the value is another one.`;
  return `Every change of ${cause} purges it: the statement filters or orders by it, or could not be followed to rows. Name rows by their key, or select fewer columns.`;
}
