// What /explain answers, for people at a terminal. Programs read the JSON.
import { z } from 'zod';

const tier = z.object({ tier: z.string(), verdict: z.string(), madeAt: z.string(), freshUntil: z.string() });
const url = z.object({
  workers: z
    .array(
      z.object({
        url: z.string(),
        route: z.string(),
        entry: z.string(),
        keys: z.array(z.object({ key: z.string() })),
        tiers: z.array(tier),
      }),
    )
    .min(1),
  why: z
    .object({
      keys: z.array(z.object({ key: z.string(), meaning: z.string(), from: z.array(z.string()) })),
      untracked: z.array(z.string()),
      renderMs: z.number(),
    })
    .optional()
    .catch(undefined),
});
const key = z.object({
  workers: z
    .array(
      z.object({
        key: z.string(),
        purges: z.array(z.string()),
        pages: z.array(z.string()),
        fragments: z.array(z.string()),
        counts: z.object({ page: z.number(), fragment: z.number() }),
      }),
    )
    .min(1),
});

/** Undefined where the answer is of no known form (another version, a refusal): then it is shown as it came. */
export function explainText(body: unknown): string | undefined {
  const ofUrl = url.safeParse(body).data;
  if (ofUrl !== undefined) return aboutUrl(ofUrl);
  const ofKey = key.safeParse(body).data;
  return ofKey === undefined ? undefined : aboutKey(ofKey);
}

function aboutUrl({ workers, why }: z.output<typeof url>): string {
  const [first] = workers;
  const lines = [`${first?.url}   page ${first?.route}`, ''];
  for (const [at, { tiers }] of workers.entries()) {
    const held = tiers.map(
      (each) => `${each.tier} ${each.verdict}, made ${each.madeAt}, fresh until ${each.freshUntil}`,
    );
    lines.push(
      `worker ${at + 1}  ${held.length === 0 ? 'held nowhere: the next visitor has it rendered' : held.join('\n          ')}`,
    );
  }
  lines.push('');
  if (why === undefined) {
    // One by one, here and below: a page may depend on more keys than a call takes arguments.
    lines.push('Made from:');
    for (const { key } of first?.keys ?? []) lines.push(`  ${key}`);
    return `${lines.join('\n')}\n`;
  }
  lines.push(`Made from ${why.keys.length} keys (rendered just now in ${why.renderMs} ms to find out):`);
  for (const [from, keys] of bySource(why.keys)) {
    lines.push('', `  ${from}`);
    const width = Math.min(
      40,
      keys.reduce((longest, { key }) => Math.max(longest, key.length), 0),
    );
    for (const each of keys) lines.push(`    ${each.key.padEnd(width)}  ${each.meaning}`);
  }
  if (why.untracked.length > 0)
    lines.push(
      '',
      'No purge tells of (so it lives by its ttl):',
      ...why.untracked.map((each) => `  ${each}`),
    );
  return `${lines.join('\n')}\n`;
}

type Why = NonNullable<z.output<typeof url>['why']>['keys'][number];

function bySource(keys: readonly Why[]): Map<string, Why[]> {
  const groups = new Map<string, Why[]>();
  for (const each of keys) {
    for (const from of each.from) groups.set(from, [...(groups.get(from) ?? []), each]);
  }
  return groups;
}

function aboutKey({ workers }: z.output<typeof key>): string {
  const lines = [`${workers[0]?.key}`];
  const also = (workers[0]?.purges ?? []).filter((each) => each !== workers[0]?.key);
  if (also.length > 0) lines.push(`  purges also (addDependency): ${also.join(', ')}`);
  for (const [at, { pages, fragments, counts }] of workers.entries()) {
    lines.push('', `worker ${at + 1}  ${counts.page} pages, ${counts.fragment} fragments in memory`);
    for (const each of [...pages, ...fragments].slice(0, 50)) lines.push(`  ${each}`);
    const left = counts.page + counts.fragment - Math.min(50, pages.length + fragments.length);
    if (left > 0) lines.push(`  and ${left} more`);
  }
  return `${lines.join('\n')}\n`;
}
