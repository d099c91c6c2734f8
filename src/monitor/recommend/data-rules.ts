// What renders wait for in the database.
import { quantileMs } from '../../core/histogram.ts';
import { sum } from '../host-row.ts';
import { ofOneCpu, percent, type Rule, time, worst } from './rule.ts';

const TEN_MINUTES_MS = 600_000;

/** Statements wait for a connection. */
export const smallPool: Rule = ({ box, counts, history }) => {
  const waiting = history.points('poolWaiting', TEN_MINUTES_MS);
  const queued = waiting.filter(({ value }) => value > 0).length;
  const { connects, statements } = counts.data;
  const p95Ms = quantileMs(connects, 0.95) ?? 0;
  const isOften = waiting.length >= 12 && queued >= waiting.length * 0.2;
  const isLong = connects.count >= 100 && p95Ms > 50;
  if (!isOften && !isLong) return [];
  const pools = box.workers.flatMap(({ snapshot }) => (snapshot === undefined ? [] : [snapshot.pool]));
  const max = sum(pools.map((pool) => pool.max));
  return [
    {
      rule: 'small-pool',
      priority: p95Ms > 250 ? 'high' : 'medium',
      about: 'DB_POOL_MAX',
      title: 'Renders wait for connections to the database',
      evidence: `statements waited in ${percent(queued, waiting.length)} % of the looks of the last ten minutes; a connection took up to ${time(p95Ms)} (p95), for ${statements.count} statements; ${max} connections at most`,
      figures: { looks: waiting.length, queued, connectP95Ms: p95Ms, max },
      advice:
        'First shorten what holds them: slow statements, transactions that wait for something else. Then raise DB_POOL_MAX; max_connections of the server must allow workers times that.',
      effect: `Renders that read become up to ${time(p95Ms)} faster.`,
    },
  ];
};

/** Long for the few rows that come: nothing but reading many others explains it. */
export const slowStatement: Rule = (facts) => {
  const found = facts.counts.data.top.filter(({ text, calls, rows, totalMs }) => {
    const rowsPerCall = rows / calls;
    // A call has a price of its own; 0.5 ms a row is far above that of reading one by an index.
    return text !== '(other)' && calls >= 20 && totalMs / calls >= 20 && totalMs / calls >= 0.5 * rowsPerCall;
  });
  const all = facts.counts.data.statements.sumMs;
  return worst(found, ({ totalMs }) => totalMs).map(({ text, calls, rows, totalMs }) => ({
    rule: 'slow-statement',
    priority: totalMs >= all * 0.2 ? 'high' : 'medium',
    about: text,
    title: 'A statement is slow for the rows that it gives',
    evidence: `${calls} calls of ${time(totalMs / calls)} for ${Math.round((rows / calls) * 10) / 10} rows each: ${percent(totalMs, all)} % of all time in statements`,
    figures: { calls, rows, meanMs: Math.round(totalMs / calls), totalMs: Math.round(totalMs) },
    advice: `EXPLAIN (ANALYZE, BUFFERS) it. Where it says Seq Scan or Rows Removed by Filter, an index on the columns of WHERE and ORDER BY is missing.`,
    effect: `${ofOneCpu(totalMs, facts)} of waiting less, shared by the pages that use it.`,
  }));
};
