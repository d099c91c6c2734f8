// Pages for the tables of a database that is there: a list of each, and a page a row, with links along foreign keys. Written to be
// changed by hand.
import { LAYOUT, STYLE } from './minimal.ts';
import type { Table, TableColumn } from './tables.ts';

/** A list shows the first of them. */
const MAX_LISTED = 6;

export function databaseFiles(tables: readonly Table[]): ReadonlyMap<string, string> {
  const known = tables.filter(({ name }) => /^[a-z][a-z0-9_-]*$/i.test(name));
  return new Map([
    ['rows.ts', rows(known)],
    ['components/value.ts', VALUE],
    ['pages/_layout.ts', LAYOUT],
    ['pages/index.ts', home(known)],
    ...known.flatMap((table): [string, string][] => [
      [`pages/${table.name}/index.ts`, list(table)],
      [`pages/${table.name}/[id].ts`, detail(table, known)],
    ]),
    ['public/style.css', STYLE],
  ]);
}

function rows(tables: readonly Table[]): string {
  const interfaces = tables.map(
    (table) =>
      `export interface ${typeName(table)} {\n${table.columns.map(({ name, type }) => `  ${property(name)}: ${type};\n`).join('')}}\n`,
  );
  return `// Rows as the database gives them.\n\n${interfaces.join('\n')}`;
}

const VALUE = `/** A value of a column as text. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString().slice(0, 16).replace('T', ' ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
`;

function home(tables: readonly Table[]): string {
  return `import { page } from 'coherent-render-server';

const TABLES = ${array(tables.map(({ name }) => name))};

export default page({
  head: () => ({ title: 'Tables' }),
  view: () => [
    { h1: 'Tables' },
    { ul: { children: TABLES.map((name) => ({ li: { children: { a: { href: \`/\${name}\`, text: name } } } })) } },
  ],
});
`;
}

function list(table: Table): string {
  const { name, primaryKey } = table;
  const columns = listed(table);
  return `import { page } from 'coherent-render-server';
import { z } from 'zod';
import { shown } from '../../components/value.ts';
import type { ${typeName(table)} } from '../../rows.ts';

const COLUMNS = ${array(columns.map((column) => column.name))} as const;

export default page({
  query: { page: z.coerce.number().int().positive().max(10_000).catch(1) },
  load: ({ db, query }) =>
    db.paginate<Pick<${typeName(table)}, (typeof COLUMNS)[number]>>({
      table: ${quote(name)},
      columns: COLUMNS,
      orderBy: [{ column: ${quote(primaryKey.name)}, direction: 'desc' }],
      pageSize: 20,
      page: query.page,
    }),
  head: ({ page: at }) => ({ title: \`${name}, page \${at}\` }),
  view: ({ rows, page: at, pages }) => [
    { h1: ${quote(name)} },
    {
      table: {
        children: [
          { thead: { children: { tr: { children: COLUMNS.map((name) => ({ th: name })) } } } },
          {
            tbody: {
              children: rows.map((row) => ({
                tr: {
                  children: COLUMNS.map((name) => ({
                    td: {
                      children:
                        name === ${quote(primaryKey.name)}
                          ? { a: { href: \`/${name}/\${encodeURIComponent(shown(row[name]))}\`, text: shown(row[name]) } }
                          : shown(row[name]),
                    },
                  })),
                },
              })),
            },
          },
        ],
      },
    },
    {
      nav: {
        children: [
          at > 1 && { a: { href: \`/${name}?page=\${at - 1}\`, rel: 'prev', text: 'Newer' } },
          at < pages && { a: { href: \`/${name}?page=\${at + 1}\`, rel: 'next', text: 'Older' } },
        ],
      },
    },
  ],
});
`;
}

function detail(table: Table, tables: readonly Table[]): string {
  const { name, primaryKey, columns } = table;
  const key = primaryKey.type === 'number' ? 'z.coerce.number().int()' : 'z.string().max(200)';
  const parts = related(table, tables);
  const reads = parts
    .map(
      ({ variable, of, column }) =>
        `    const ${variable} = await db.many<Pick<${typeName(of)}, ${quote(of.primaryKey.name)}>>(\n      'SELECT ${sqlName(of.primaryKey.name)} FROM ${sqlName(of.name)} WHERE ${sqlName(column.name)} = $1 ORDER BY ${sqlName(of.primaryKey.name)} DESC LIMIT 20',\n      [params.id],\n    );\n`,
    )
    .join('');
  const types = [table, ...new Set(parts.map(({ of }) => of).filter((of) => of !== table))]
    .map(typeName)
    .sort();
  const links = columns.filter(({ references }) => tables.some((each) => each.name === references));
  const needsNode = links.length > 0 || parts.length > 0;
  return `import { ${needsNode ? 'type Node, ' : ''}notFound, page } from 'coherent-render-server';
import { z } from 'zod';
import { shown } from '../../components/value.ts';
import type { ${types.join(', ')} } from '../../rows.ts';
${
  links.length === 0
    ? ''
    : `
/** Columns that name rows of other tables. */
const LINKS: Readonly<Record<string, string>> = { ${links.map((each) => `${property(each.name)}: ${quote(each.references ?? '')}`).join(', ')} };
`
}
export default page({
  params: { id: ${key} },
  load: async ({ params, db }) => {
    const row = await db.byId<${typeName(table)}>(${quote(name)}, params.id);
    if (row === null) return notFound();
${reads}    return { row${parts.map(({ variable }) => `, ${variable}`).join('')} };
  },
  head: ({ row }) => ({ title: shown(row${member(titleOf(table).name)}) }),
  view: ({ row${parts.map(({ variable }) => `, ${variable}`).join('')} }) => [
    { h1: shown(row${member(titleOf(table).name)}) },
    {
      table: {
        children: Object.entries(row).map(([name, value]) => ({
          tr: { children: [{ th: name }, { td: { children: ${links.length === 0 ? 'shown(value)' : 'linked(name, value)'} } }] },
        })),
      },
    },
${parts
  .map(
    ({ variable, of, column }) =>
      `    list(${quote(`${of.name} by ${column.name}`)}, ${quote(of.name)}, ${variable}.map((each) => shown(each${member(of.primaryKey.name)}))),\n`,
  )
  .join('')}  ],
});
${
  links.length === 0
    ? ''
    : `
function linked(name: string, value: unknown): Node {
  const table = LINKS[name];
  if (table === undefined || value === null) return shown(value);
  return { a: { href: \`/\${table}/\${encodeURIComponent(shown(value))}\`, text: shown(value) } };
}
`
}${
  parts.length === 0
    ? ''
    : `
function list(title: string, table: string, ids: readonly string[]): Node {
  if (ids.length === 0) return null;
  const link = (id: string) => ({ li: { children: { a: { href: \`/\${table}/\${encodeURIComponent(id)}\`, text: id } } } });
  return [{ h2: title }, { ul: { children: ids.map(link) } }];
}
`
}`;
}

interface Related {
  readonly variable: string;
  readonly of: Table;
  readonly column: TableColumn;
}

/** Rows of other tables that name a row of this one. */
function related({ name }: Table, tables: readonly Table[]): readonly Related[] {
  return tables.flatMap((of) =>
    of.columns
      .filter(({ references }) => references === name)
      .map((column) => ({ variable: camel(`${of.name}_by_${column.name}`), of, column })),
  );
}

/** Short ones first, the key always. */
function listed({ columns, primaryKey }: Table): readonly TableColumn[] {
  const others = columns.filter((column) => column !== primaryKey && !column.type.includes('unknown'));
  return [primaryKey, ...others.slice(0, MAX_LISTED - 1)];
}

const TITLES = ['title', 'name', 'label', 'subject', 'slug', 'email', 'username', 'handle'];

function titleOf({ columns, primaryKey }: Table): TableColumn {
  const found = TITLES.map((name) => columns.find((column) => column.name === name)).find(
    (column) => column !== undefined,
  );
  return found ?? primaryKey;
}

function typeName({ name }: Table): string {
  const word = camel(name);
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}Row`;
}

function camel(name: string): string {
  return name.replace(/[^a-zA-Z0-9]+(.)?/g, (_, letter: string | undefined) => letter?.toUpperCase() ?? '');
}

const IDENTIFIER = /^[a-zA-Z_$][\w$]*$/;

function property(name: string): string {
  return IDENTIFIER.test(name) ? name : quote(name);
}

function member(name: string): string {
  return IDENTIFIER.test(name) ? `.${name}` : `[${quote(name)}]`;
}

/** Inside single quotes of TypeScript. */
function sqlName(name: string): string {
  const quoted = /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
  return quoted.replace(/[\\']/g, '\\$&');
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function array(names: readonly string[]): string {
  return `[${names.map(quote).join(', ')}]`;
}
