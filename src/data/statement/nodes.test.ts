// Whatever the parser can produce is either understood, which an example shows, or makes the statement untracked.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadModule, parseSync } from 'libpg-query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts';
import { type Catalog, loadCatalog } from '../schema/catalog.ts';
import { analyse } from './analyse.ts';
import { Blocks } from './blocks.ts';
import { Findings } from './findings.ts';

/** The names of all nodes that this version of the parser knows, as it spells them in its output. */
function nodesOfParser(): string[] {
  const wasm = readFileSync(
    createRequire(import.meta.url)
      .resolve('libpg-query')
      .replace(/[^/]+$/, 'libpg-query.wasm'),
  );
  const names = [...wasm.toString('latin1').matchAll(/"([A-Z][A-Za-z_]+)":\{/g)].map(
    ([, name]) => name ?? '',
  );
  return [...new Set(names)].filter((name) => !name.startsWith('PLpgSQL_')).sort();
}

/** Each reads `t`, and is followed. */
const followed = [
  'select a, b.c as d, ($1)::int, row(a, b.*), array[a], (array[a])[1], (array[a])[1:2], coalesce(a, 1), greatest(a, 2) from t b where b.a = $1',
  'select case a when 1 then \'x\' else c end, a is null, (a > 1) is true, not (a = 1), c collate "C", abs(a), current_user from t',
  'select count(*) filter (where a > 1) over (partition by a order by c rows between 1 preceding and current row) from t window w as (order by a)',
  'select a, grouping(a), count(*) from t group by grouping sets ((a), ()) having count(*) > 1 order by 1 limit 3 offset 1',
  'with recursive r as (select 1 as n union all select n + a from t, r where n < 5) search depth first by n set o cycle n set is_cycle using path select *, o, path from r',
  'select * from (select a from t) s left join lateral (select max(a) from t where t.a = s.a) l on true join t u using (a)',
  'select * from rows from (generate_series(1, 2), unnest(array[1])) with ordinality as x(p, q, o), t',
  'select (select max(a) from t), exists (select from t), 1 in (select a from t), array(select a from t), a = any (array[1]) from t',
  "select json_object('k': a), json_array(a, c), json_array(select a from t), json_objectagg(c: a), json_arrayagg(a order by c returning jsonb) from t group by a, c",
  "select j is json object, json(c), json_scalar(a), json_serialize(j returning text), json_query(j, '$.a' passing a as x), json_value(j, '$.a' returning int default 3 on error), json_exists(j, '$.b') from t",
  "select jt.* from t, json_table(t.j, '$[*]' passing t.a as x columns (id for ordinality, v int path '$.a' default 7 on empty, nested path '$.l[*]' columns (n int path '$'))) jt where t.a = 1",
  "select x.* from t, xmltable('/r' passing t.x columns p int path '@a' default 1) x",
  'select xmlelement(name e, xmlattributes(a as k), c), xmlforest(a, c), xmlserialize(content x as text) from t',
  'select a from t union all select a from t intersect select 1 order by 1 limit 2',
  "select make_interval(days => a), '{1}'::int[] from t",
  'select r.p from t, jsonb_to_record(t.j) as r(p int)',
  'values ((select max(a) from t)), (2)',
];

let database: TestDatabase;
let catalog: Catalog;

beforeAll(async () => {
  await loadModule();
  database = await testDatabase(`
    create table t (a int primary key, c text, j jsonb, x xml);
    create table u (a int primary key, b int);`);
  catalog = await loadCatalog({ query: async (sql) => ({ rows: await database.query(sql) }) });
});
afterAll(async () => {
  await database?.close();
});

function kindsOf(value: unknown, into = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const each of value) kindsOf(each, into);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      if (/^[A-Z]/.test(name)) into.add(name);
      kindsOf(inner, into);
    }
  }
  return into;
}

describe('what the parser can produce', () => {
  it.each(followed)('is followed in: %s', (sql) => {
    const plan = analyse(sql, catalog);
    expect(plan).toMatchObject({ kind: 'tracked', untracked: [] });
    if (plan.kind === 'tracked') expect(plan.scans.map(({ table }) => table)).toContain('t');
  });

  it('is known by an example, or makes a statement untracked wherever an expression may stand', () => {
    const known = kindsOf(followed.map((sql) => parseSync(sql)));
    const nodes = nodesOfParser();
    expect(nodes.length).toBeGreaterThan(200);
    expect([...known].filter((name) => !nodes.includes(name))).toEqual([]);
    const ignored = nodes.filter((name) => {
      if (known.has(name)) return false;
      const findings = new Findings();
      const blocks = new Blocks(catalog, findings, {
        plain: false,
        paramOk: () => false,
        path: catalog.searchPath,
        session: catalog.session,
      });
      const target = { ResTarget: { val: { [name]: {} } } };
      try {
        blocks.outermost({ kind: 'SelectStmt', body: { op: 'SETOP_NONE', targetList: [target] } });
      } catch {
        return false;
      }
      return findings.untracked.size === 0;
    });
    expect(ignored).toEqual([]);
  });

  it('is refused in FROM where it is no table, subquery, join or function', () => {
    const known = kindsOf(followed.map((sql) => parseSync(sql)));
    for (const name of nodesOfParser()) {
      if (known.has(name)) continue;
      const findings = new Findings();
      const blocks = new Blocks(catalog, findings, {
        plain: false,
        paramOk: () => false,
        path: catalog.searchPath,
        session: catalog.session,
      });
      const body = { op: 'SETOP_NONE', fromClause: [{ [name]: { names: [] } }] };
      let isTold = false;
      try {
        blocks.outermost({ kind: 'SelectStmt', body });
        isTold = findings.untracked.size > 0;
      } catch {
        isTold = true;
      }
      expect([name, isTold]).toEqual([name, true]);
    }
  });

  it('makes the statement untracked where a read stands in a clause that nobody walks', () => {
    const findings = new Findings();
    const blocks = new Blocks(catalog, findings, {
      plain: false,
      paramOk: () => false,
      path: catalog.searchPath,
      session: catalog.session,
    });
    const body = { op: 'SETOP_NONE', clauseToCome: [{ RangeVar: { relname: 'u' } }] };
    blocks.outermost({ kind: 'SelectStmt', body });
    findings.close({ kind: 'SelectStmt', body });
    expect([...findings.untracked]).toEqual(['where u stands is not understood']);
  });

  it.each([
    'merge into t using u on t.a = u.a when matched then delete',
    'with w as (insert into t values (1) returning a) select * from w',
    'with w as (merge into t using u on t.a = u.a when matched then delete returning t.a) select * from w',
    'select a into v from t',
    'select a from t for share',
  ])('is refused where it writes: %s', (sql) => {
    expect(analyse(sql, catalog)).toMatchObject({ kind: 'refused' });
  });
});
