// Random statements. Every construct that fools an analyser is made on purpose and counted.
import type { Random } from './random.ts';
import type { ColumnSpec, SchemaSpec, TableSpec, TypeOf } from './schema.ts';

export interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly constructs: readonly string[];
  /** Rows come in one order only; otherwise results are compared as bags. */
  readonly ordered: boolean;
}

interface Ref {
  readonly alias: string;
  readonly table: TableSpec;
}

export class Statements {
  private readonly random: Random;
  private readonly schema: SchemaSpec;
  private params: unknown[] = [];
  private constructs = new Set<string>();
  private aliases = 0;

  constructor(random: Random, schema: SchemaSpec) {
    this.random = random;
    this.schema = schema;
  }

  next(): Statement {
    this.params = [];
    this.constructs = new Set();
    this.aliases = 0;
    if (this.random.chance(0.3)) {
      const { construct, sql } = this.random.pick(this.schema.hidden.statements);
      return { sql, params: [], constructs: [construct], ordered: / order by /.test(sql) };
    }
    const shape = this.random.pick(shapes);
    const made = this[shape]();
    this.count(shape);
    return { sql: made.sql, params: this.params, constructs: [...this.constructs], ordered: made.ordered };
  }

  private count(construct: string): void {
    this.constructs.add(construct);
  }

  private maybe(probability: number, construct: string): boolean {
    const yes = this.random.chance(probability);
    if (yes) this.count(construct);
    return yes;
  }

  private table(): TableSpec {
    const one = this.random.pick(this.schema.tables);
    this.count(`from ${one.kind}`);
    if (one.primaryKey.length === 0) this.count('no primary key');
    if (one.primaryKey.length > 1) this.count('composite key');
    return one;
  }

  private ref(table = this.table()): Ref {
    return { alias: `x${this.aliases++}`, table };
  }

  private from(ref: Ref): string {
    const only = ref.table.kind === 'parent' && this.maybe(0.2, 'ONLY') ? 'only ' : '';
    if (this.maybe(0.05, 'column aliases')) {
      // The names stay, by renaming each to itself.
      return `${only}${ref.table.name} as ${ref.alias}(${ref.table.columns
        .slice(0, 2)
        .map((one) => one.name)
        .join(', ')})`;
    }
    return `${only}${ref.table.name} as ${ref.alias}`;
  }

  private column(ref: Ref, wanted?: (column: ColumnSpec) => boolean): ColumnSpec {
    const fit = ref.table.columns.filter(
      (one) => one.name !== 'big' && (wanted === undefined || wanted(one)),
    );
    // Statements and changes that crowd on a few columns meet more often.
    const crowd = fit.filter((one) => one.name === 'a' || one.name === 'b');
    if (crowd.length > 0 && this.random.chance(0.5)) return this.random.pick(crowd);
    return fit.length === 0 ? (ref.table.columns[0] ?? missing()) : this.random.pick(fit);
  }

  private name(ref: Ref, column: ColumnSpec): string {
    if (column.generated) this.count('generated column');
    return `${ref.alias}.${column.name}`;
  }

  // ------------------------------------------------------------------ values

  private literal(type: TypeOf): string {
    const value = this.random.pick(type.values);
    if (type.family === 'int' && this.random.chance(0.7)) return value;
    if (this.maybe(0.05, 'constant NULL')) return 'null';
    return `'${value.replaceAll("'", "''")}'`;
  }

  private scalar(type: TypeOf): string {
    if (this.random.chance(0.45))
      return this.random.chance(0.2) ? this.cast(this.literal(type), type) : this.literal(type);
    this.params.push(this.maybe(0.06, 'parameter NULL') ? null : this.paramValue(type));
    const param = `$${this.params.length}`;
    return this.random.chance(0.3) ? this.cast(param, type) : param;
  }

  private cast(what: string, type: TypeOf): string {
    this.count('cast');
    const plain = type.sql.replace(' collate nocase', '').replace('varchar(20)', 'varchar');
    return this.random.chance(0.5)
      ? `${what}::${plain === 'char(5)' ? 'bpchar' : plain}`
      : `cast(${what} as ${plain})`;
  }

  private paramValue(type: TypeOf): unknown {
    const value = this.random.pick(type.values);
    if (type.family === 'int' && Math.abs(Number(value)) < 1e9) {
      return this.random.pick([
        value,
        Number(value),
        BigInt(value),
        `+${value}`.replace('+-', '-'),
        ` 0${value}`.replace('0-', '-0'),
      ]);
    }
    if (type.family === 'uuid')
      return this.random.chance(0.5) ? value.toUpperCase() : `{${value.replaceAll('-', '')}}`;
    if (type.family === 'numeric') return this.random.chance(0.5) ? value : Number(value);
    if (type.family === 'bool')
      return this.random.pick([value, value === 't', value === 't' ? 'yes' : 'off']);
    if (type.sql === 'char(5)') return value + ' '.repeat(this.random.int(3));
    return value;
  }

  // ------------------------------------------------------------------ conditions

  private condition(refs: readonly Ref[], depth = 0): string {
    const ref = this.random.pick(refs);
    const column = this.column(ref);
    const name = this.name(ref, column);
    const scalar = (): string => this.scalar(column.type);
    const { family } = column.type;
    const pin = this.random.pick([
      '=',
      '=',
      '=',
      '=',
      'flipped',
      'in',
      'any',
      'any array',
      'null',
      'not distinct',
      'row',
      'row in',
    ] as const);
    const kind = this.random.int(10);
    if (kind < 5 && family !== 'json') {
      this.count(`pin ${pin}`);
      if (pin === '=') return `${name} = ${scalar()}`;
      if (pin === 'flipped') return `${scalar()} = ${name}`;
      if (pin === 'in')
        return `${name} in (${scalar()}, ${scalar()}${this.random.chance(0.3) ? ', null' : ''})`;
      if (pin === 'any') {
        const values = Array.from({ length: this.random.int(4) }, () =>
          this.random.chance(0.1) ? null : this.random.pick(column.type.values),
        );
        if (family === 'array') return `${name} is not null`;
        this.params.push(this.random.chance(0.1) && values.length > 0 ? [values, values] : values);
        if (Array.isArray(values[0])) this.count('nested array');
        return `${name} = any($${this.params.length}${this.random.chance(0.5) && column.type.sql === 'int' ? '::int[]' : ''})`;
      }
      if (pin === 'any array')
        return family === 'array'
          ? 'true'
          : `${name} = any(array[${scalar()}, ${this.literal(column.type)}]::${column.type.sql.replace(' collate nocase', '')}[])`;
      if (pin === 'null') return `${name} is null`;
      if (pin === 'not distinct') return `${name} is not distinct from ${scalar()}`;
      const other = this.column(ref, (one) => one.type.family !== 'json');
      if (pin === 'row')
        return `(${name}, ${this.name(ref, other)}) = (${scalar()}, ${this.scalar(other.type)})`;
      return `(${name}, ${this.name(ref, other)}) in ((${scalar()}, ${this.scalar(other.type)}), (${scalar()}, ${this.scalar(other.type)}))`;
    }
    if (depth < 2 && kind === 5) {
      this.count('OR');
      return this.random.chance(0.5)
        ? `(${this.condition([ref], depth + 1)} or ${this.condition([ref], depth + 1)})`
        : `(${this.condition(refs, depth + 1)} or ${this.condition(refs, depth + 1)})`;
    }
    if (depth < 2 && kind === 6) {
      this.count('NOT');
      return this.random.chance(0.5)
        ? `not (${this.condition(refs, depth + 1)})`
        : `not (${this.condition(refs, depth + 1)} and ${this.condition(refs, depth + 1)})`;
    }
    if (depth < 2 && kind === 7) return this.subqueryCondition(refs, depth);
    return this.expressionCondition(refs, ref, column);
  }

  private expressionCondition(refs: readonly Ref[], ref: Ref, column: ColumnSpec): string {
    const name = this.name(ref, column);
    const { family } = column.type;
    const scalar = (): string => this.scalar(column.type);
    if (family === 'bool')
      return this.random.pick([
        name,
        `not ${name}`,
        `${name} is true`,
        `${name} is not true`,
        `${name} is unknown`,
        `${name} is false`,
      ]);
    if (family === 'json') {
      this.count('json operator');
      return this.random.pick([
        `${name} ->> 'k' = '1'`,
        `${name} @> '{"k":1}'`,
        `${name} ? 'k'`,
        `jsonb_typeof(${name}) = 'array'`,
      ]);
    }
    if (family === 'array') {
      this.count('array operator');
      return this.random.pick([
        `${name} @> '{1}'`,
        `1 = any(${name})`,
        `cardinality(${name}) > 1`,
        `${name}[1] = 1`,
      ]);
    }
    this.count('expression filter');
    const other = this.random.pick(refs);
    const options = [
      `${name} <> ${scalar()}`,
      `${name} is not null`,
      `coalesce(${name}, ${this.literal(column.type).replace(/^null$/, 'null')}) = ${this.literal(column.type)}`,
      `case when ${name} is null then true else ${this.name(other, this.column(other))} is null end`,
    ];
    if (family === 'text')
      options.push(
        `lower(${name}) = 'a'`,
        `${name} like 'a%'`,
        `length(${name}) > 1`,
        `${name}::text || 'x' = 'ax'`,
        `${name} collate "C" < 'b'`,
      );
    if (family !== 'text' && family !== 'uuid')
      options.push(
        `${name} between ${this.literal(column.type)} and ${this.literal(column.type)}`,
        `${name} > ${scalar()}`,
      );
    if (family === 'int')
      options.push(
        `${name} + 1 > 2`,
        `${name}::text = '1'`,
        `${name} = 1.0`,
        `${name} % 2 = 0`,
        `${name}::numeric = ${this.literal(column.type)}`,
      );
    return this.random.pick(options);
  }

  private subqueryCondition(refs: readonly Ref[], depth: number): string {
    const outer = this.random.pick(refs);
    const inner = this.ref();
    const outerColumn = this.column(outer);
    const same = inner.table.columns.filter(
      (one) => one.type.sql === outerColumn.type.sql && one.type.family !== 'json',
    );
    const innerColumn = same.length > 0 ? this.random.pick(same) : undefined;
    const more = this.random.chance(0.5) ? ` and ${this.condition([inner], depth + 1)}` : '';
    const link =
      innerColumn === undefined
        ? this.condition([inner], depth + 1)
        : `${this.name(inner, innerColumn)} = ${this.name(outer, outerColumn)}`;
    const list =
      innerColumn === undefined
        ? undefined
        : `select ${this.name(inner, innerColumn)} from ${this.from(inner)} where true${more}`;
    const kind = this.random.pick([
      'EXISTS',
      'NOT EXISTS',
      'IN subquery',
      'NOT IN subquery',
      '= ANY subquery',
      'scalar comparison',
    ] as const);
    this.count(kind);
    if (kind === 'EXISTS') return `exists (select 1 from ${this.from(inner)} where ${link}${more})`;
    if (kind === 'scalar comparison')
      return `(select count(*) from ${this.from(inner)} where ${link}${more}) > ${this.random.int(2)}`;
    if (list === undefined || kind === 'NOT EXISTS')
      return `not exists (select from ${this.from(inner)} where ${link}${more})`;
    const left = this.name(outer, outerColumn);
    if (kind === 'IN subquery') return `${left} in (${list})`;
    if (kind === 'NOT IN subquery') return `${left} not in (${list})`;
    return `${left} = any (${list})`;
  }

  private where(refs: readonly Ref[], atLeast = 0): string {
    const count = atLeast + this.random.int(3);
    if (count === 0) return '';
    return ` where ${Array.from({ length: count }, () => this.condition(refs)).join(' and ')}`;
  }

  // ------------------------------------------------------------------ FROM

  private joined(): { from: string; refs: Ref[] } {
    const first = this.ref();
    const refs = [first];
    let from = this.from(first);
    const count = this.random.pick([0, 0, 1, 1, 1, 2]);
    for (let i = 0; i < count; i++) {
      const link = this.random.pick(refs);
      const reference = link.table.references[0];
      const byKey = reference !== undefined && this.maybe(0.6, 'join along a foreign key');
      const target = byKey
        ? (this.schema.tables.find((one) => one.name === reference.table) ?? link.table)
        : undefined;
      const next = this.ref(target ?? this.table());
      const type = this.random.pick([
        'join',
        'join',
        'left join',
        'left join',
        'right join',
        'full join',
        'cross join',
        ',',
      ]);
      this.count(type === ',' ? 'comma join' : type);
      if (type === 'cross join' || type === ',') {
        from += type === ',' ? ` cross join ${this.from(next)}` : ` cross join ${this.from(next)}`;
        refs.push(next);
        continue;
      }
      const conditions: string[] = [];
      if (byKey)
        conditions.push(`${next.alias}.${target?.primaryKey[0]} = ${link.alias}.${reference.column}`);
      else {
        const mine = this.column(link, (one) => one.type.family !== 'json');
        const theirs = next.table.columns.filter(
          (one) => one.type.sql === mine.type.sql && one.name !== 'big',
        );
        conditions.push(
          theirs.length > 0
            ? `${this.name(next, this.random.pick(theirs))} = ${this.name(link, mine)}`
            : `${next.alias}.a = ${link.alias}.a`,
        );
        if (theirs.length === 0 && !(has(next.table, 'a') && has(link.table, 'a'))) conditions[0] = 'true';
      }
      const merge = type !== 'full join' || conditions[0] !== 'true';
      if (merge && type !== 'full join' && this.random.chance(0.3))
        conditions.push(this.condition([...refs, next], 1));
      const using =
        has(next.table, 'a') && refs.length === 1 && has(first.table, 'a') && this.maybe(0.08, 'USING');
      from += ` ${type} ${this.from(next)} ${using ? 'using (a)' : `on ${conditions.join(' and ')}`}`;
      refs.push(next);
    }
    return { from, refs };
  }

  private targets(refs: readonly Ref[], withKeys = 0.7): string {
    const list: string[] = [];
    for (const ref of refs) {
      if (this.maybe(0.08, 'star')) list.push(`${ref.alias}.*`);
      else {
        if (this.random.chance(withKeys))
          for (const name of ref.table.primaryKey) list.push(`${ref.alias}.${name} as ${ref.alias}_${name}`);
        for (let i = this.random.int(3); i > 0; i--) {
          const column = this.column(ref);
          list.push(`${this.name(ref, column)} as o${list.length}`);
        }
        for (const { column } of ref.table.references)
          if (this.random.chance(0.4)) list.push(`${ref.alias}.${column} as ${ref.alias}_${column}`);
      }
    }
    if (this.maybe(0.1, 'scalar subquery shown')) list.push(`(${this.scalarSubquery(refs)}) as sub`);
    if (this.maybe(0.05, 'whole row')) list.push(`${this.random.pick(refs).alias} as row_${list.length}`);
    if (this.maybe(0.04, 'row_to_json')) list.push(`to_jsonb(${this.random.pick(refs).alias}) as js`);
    if (this.maybe(0.05, 'SRF shown'))
      list.push(`generate_series(1, ${this.intOf(this.random.pick(refs))}) as srf`);
    if (this.maybe(0.06, 'function of the user')) list.push(this.userFunction(refs));
    if (this.maybe(0.05, 'big column'))
      for (const ref of refs)
        if (has(ref.table, 'big')) list.push(`md5(${ref.alias}.big) as m${list.length}`);
    if (this.maybe(0.05, 'expression shown'))
      list.push(`coalesce(${this.intOf(this.random.pick(refs))}, 0) + 1 as e${list.length}`);
    return list.length === 0 ? '1 as one' : list.join(', ');
  }

  private intOf(ref: Ref): string {
    const columns = ref.table.columns.filter((one) => one.type.sql === 'int');
    return columns.length === 0 ? '2' : this.name(ref, this.random.pick(columns));
  }

  private scalarSubquery(refs: readonly Ref[]): string {
    const outer = this.random.pick(refs);
    const inner = this.ref();
    const key =
      outer.table.primaryKey.length === 1
        ? outer.table.columns.find((one) => one.name === outer.table.primaryKey[0])
        : undefined;
    const referring = inner.table.references.find((one) => one.table === outer.table.name);
    const link =
      referring !== undefined && key !== undefined
        ? `${inner.alias}.${referring.column} = ${outer.alias}.${key.name}`
        : `${this.intOf(inner)} = ${this.intOf(outer)}`;
    if (this.maybe(0.15, 'outer aggregate'))
      return `select max(${this.intOf(outer)}) from ${this.from(inner)} limit 1`;
    return `select ${this.random.pick(['count(*)', `max(${this.intOf(inner)})`])} from ${this.from(inner)} where ${link}${this.random.chance(0.3) ? ` and ${this.condition([inner], 1)}` : ''}`;
  }

  private userFunction(refs: readonly Ref[]): string {
    return `${this.random.pick(this.schema.functions)}(${this.intOf(this.random.pick(refs))}) as fn`;
  }

  /** Columns of the result as text make any order total, as far as the rows can be told apart. */
  private total(sql: string, orderBy: string, limit: string): { sql: string; ordered: boolean } {
    return { sql: `${sql}${orderBy}${limit}`, ordered: orderBy !== '' };
  }

  private tail(refs: readonly Ref[]): { orderBy: string; limit: string; total: boolean } {
    if (!this.maybe(0.5, 'ORDER BY')) return { orderBy: '', limit: '', total: false };
    const parts: string[] = [];
    for (let i = this.random.int(3); i > 0; i--) {
      const ref = this.random.pick(refs);
      const column = this.column(ref, (one) => one.type.family !== 'json');
      parts.push(`${this.name(ref, column)}${this.random.pick(['', ' desc', ' nulls first', ''])}`);
    }
    if (this.maybe(0.1, 'ORDER BY expression'))
      parts.push(`coalesce(${this.intOf(this.random.pick(refs))}, -1) % 3`);
    for (const ref of refs) {
      parts.push(
        ...(ref.table.primaryKey.length > 0 && ref.table.kind !== 'view' && ref.table.kind !== 'parent'
          ? ref.table.primaryKey.map((name) => `${ref.alias}.${name}`)
          : [`${ref.alias}::text`]),
      );
    }
    let limit = '';
    if (this.maybe(0.6, 'LIMIT')) {
      limit = ` limit ${this.random.chance(0.5) ? 1 + this.random.int(5) : this.pushInt(1 + this.random.int(4))}`;
      if (this.maybe(0.4, 'OFFSET')) limit += ` offset ${this.random.int(4)}`;
    }
    return { orderBy: ` order by ${parts.join(', ')}`, limit, total: true };
  }

  private pushInt(value: number): string {
    this.params.push(value);
    return `$${this.params.length}::bigint`;
  }

  // ------------------------------------------------------------------ shapes

  byKey(): { sql: string; ordered: boolean } {
    const keyed = this.schema.tables.filter((one) => one.primaryKey.length > 0);
    const ref = this.ref(this.random.pick(keyed));
    this.count(`from ${ref.table.kind}`);
    const pins = ref.table.primaryKey.map((name) => {
      const column = ref.table.columns.find((one) => one.name === name) ?? missing();
      return `${ref.alias}.${name} = ${this.scalar(column.type)}`;
    });
    const more = this.random.chance(0.3) ? ` and ${this.condition([ref])}` : '';
    return {
      sql: `select ${this.targets([ref])} from ${this.from(ref)} where ${pins.join(' and ')}${more}`,
      ordered: false,
    };
  }

  list(): { sql: string; ordered: boolean } {
    const { from, refs } = this.joined();
    const { orderBy, limit } = this.tail(refs);
    return this.total(`select ${this.targets(refs)} from ${from}${this.where(refs)}`, orderBy, limit);
  }

  listByReference(): { sql: string; ordered: boolean } {
    const referring = this.schema.tables.filter((one) => one.references.length > 0);
    if (referring.length === 0) return this.list();
    const ref = this.ref(this.random.pick(referring));
    const reference = ref.table.references[0] ?? missing();
    const target = this.ref(this.schema.tables.find((one) => one.name === reference.table) ?? ref.table);
    const type = this.random.pick(['join', 'left join']);
    const key = target.table.columns.find((one) => one.name === target.table.primaryKey[0]);
    const free = ref.table.columns.filter((one) => one.type === key?.type && one.name !== reference.column);
    // The same join along a column without a foreign key: now rows of the other table may come and go.
    const loose = free.length > 0 && this.maybe(0.4, `lookup by ${type} without a foreign key`);
    const along = loose ? this.random.pick(free).name : reference.column;
    if (!loose) this.count(`lookup by ${type}`);
    const refs = [ref, target];
    const { orderBy, limit } = this.tail(this.random.chance(0.7) ? [ref] : refs);
    const shown = `${ref.alias}.${along} as d, ${this.targets([ref])}, ${this.targets([target], 0.3)}`;
    const from = `${this.from(ref)} ${type} ${this.from(target)} on ${target.alias}.${target.table.primaryKey[0]} = ${ref.alias}.${along}`;
    const where = this.random.chance(0.6) ? this.where([ref]) : this.where(refs);
    return this.total(`select ${shown} from ${from}${where}`, orderBy, limit);
  }

  /** As applications write them: some rows of one table, a few of them shown, in an order. */
  page(): { sql: string; ordered: boolean } {
    const ref = this.ref(
      this.random.pick(this.schema.tables.filter((one) => one.primaryKey.length > 0 && one.kind !== 'view')),
    );
    this.count(`from ${ref.table.kind}`);
    const by = this.column(ref, (one) => one.type.family !== 'json');
    const keys = ref.table.primaryKey.map((name) => `${ref.alias}.${name}`);
    const where = this.random.chance(0.5) ? '' : ` where ${this.condition([ref])}`;
    const order = `${this.name(ref, by)}${this.random.pick(['', ' desc'])}`;
    this.count('ORDER BY');
    this.count('LIMIT');
    const offset = this.random.chance(0.3) ? ` offset ${1 + this.random.int(3)}` : '';
    const hidden = ref.table.kind === 'parent' ? `, ${ref.alias}::text` : '';
    return {
      sql: `select ${keys.map((key, i) => `${key} as k${i}`).join(', ')}, ${ref.alias}.b as b from ${this.from(ref)}${where} order by ${order}, ${keys.join(', ')}${hidden} limit ${1 + this.random.int(4)}${offset}`,
      ordered: true,
    };
  }

  /** Rows by one value, counted: a row that moves away unseen decides. */
  counted(): { sql: string; ordered: boolean } {
    const ref = this.ref();
    const crowd = ref.table.columns.filter((one) => ['a', 'b', 'ref'].includes(one.name));
    const column = crowd.length > 0 ? this.random.pick(crowd) : this.column(ref);
    const pin = `${this.name(ref, column)} = ${this.scalar(column.type)}`;
    const either = this.maybe(0.3, 'pin OR something else')
      ? `(${pin} or ${this.expressionCondition([ref], ref, this.column(ref))})`
      : pin;
    const grouped = ref.table.primaryKey[0];
    if (grouped !== undefined && this.maybe(0.2, 'GROUP BY primary key')) {
      return {
        sql: `select ${ref.alias}.${grouped} as id, count(*) as n, max(${this.intOf(ref)}) as m from ${this.from(ref)} where ${either} group by 1`,
        ordered: false,
      };
    }
    return {
      sql: `select count(*) as n, max(${this.intOf(ref)}) as m from ${this.from(ref)} where ${either}`,
      ordered: false,
    };
  }

  /** A condition in ON leaves rows of the preserved side where they are. */
  outerOn(): { sql: string; ordered: boolean } {
    const [left, right] = [this.ref(), this.ref()];
    const type = this.random.pick(['left join', 'left join', 'right join', 'full join']);
    this.count(`${type} with a pin in ON`);
    const preserved = type === 'right join' ? right : left;
    const pinned = this.column(preserved, (one) => one.name === 'a' || one.name === 'b');
    const link = `${this.intOf(right)} = ${this.intOf(left)}`;
    const pin = `${this.name(preserved, pinned)} = ${type === 'full join' ? this.name(preserved, pinned) : this.scalar(pinned.type)}`;
    return {
      sql: `select ${this.targets([left, right])} from ${this.from(left)} ${type} ${this.from(right)} on ${link}${type === 'full join' ? '' : ` and ${pin}`}`,
      ordered: false,
    };
  }

  /** Rows without a partner: a row of the other table that comes, goes or moves decides. */
  antijoin(): { sql: string; ordered: boolean } {
    const left = this.ref();
    const right = this.ref();
    const null_ = right.table.columns.filter((one) => one.notNull || one.name === 'a' || one.name === 'b');
    const padded = null_.length > 0 ? this.random.pick(null_) : this.column(right);
    const type = this.random.pick(['left join', 'left join', 'full join']);
    const more = type === 'left join' && this.random.chance(0.4) ? ` and ${this.condition([right], 1)}` : '';
    const test = this.random.pick(['is null', 'is null', 'is not distinct from null']);
    const also = this.random.chance(0.3) ? ` or ${this.condition([left], 1)}` : '';
    return {
      sql: `select ${this.targets([left])} from ${this.from(left)} ${type} ${this.from(right)} on ${this.intOf(right)} = ${this.intOf(left)}${more} where (${this.name(right, padded)} ${test}${also})`,
      ordered: false,
    };
  }

  aggregate(): { sql: string; ordered: boolean } {
    const { from, refs } = this.joined();
    const ref = this.random.pick(refs);
    const column = this.column(
      ref,
      (one) =>
        !['json', 'array', 'bool', 'uuid', 'enum'].includes(one.type.family) &&
        one.type.sql !== 'citext' &&
        one.type.sql !== 'text collate nocase',
    );
    const list = [
      'count(*)',
      `count(distinct ${this.name(ref, column)})`,
      `min(${this.name(ref, column)}::text)`,
      `sum(${this.intOf(ref)})`,
      `count(*) filter (where ${this.condition(refs, 1)})`,
      `array_agg(${ref.alias}::text order by ${ref.alias}::text)`,
      `bool_or(${this.condition(refs, 2)})`,
    ];
    const chosen = this.random.some(list, 1 + this.random.int(3)).map((one, i) => `${one} as g${i}`);
    if (!this.maybe(0.5, 'GROUP BY'))
      return { sql: `select ${chosen.join(', ')} from ${from}${this.where(refs)}`, ordered: false };
    const by = this.random.pick(refs);
    const group = this.name(
      by,
      this.column(
        by,
        (one) =>
          one.type.sql !== 'citext' &&
          one.type.sql !== 'text collate nocase' &&
          one.type.family !== 'numeric' &&
          one.type.family !== 'float',
      ),
    );
    const second = this.intOf(this.random.pick(refs));
    const grouping = this.random.pick([
      group,
      group,
      '1',
      `grouping sets ((${group}), (), (${second}))`,
      `rollup (${group})`,
      `${group}, ${second}`,
    ]);
    if (grouping.includes('(')) this.count('GROUPING SETS');
    const having = this.maybe(0.3, 'HAVING') ? ` having count(*) > ${this.random.int(3)}` : '';
    return {
      sql: `select ${group} as k, ${chosen.join(', ')} from ${from}${this.where(refs)} group by ${grouping}${having}`,
      ordered: false,
    };
  }

  distinct(): { sql: string; ordered: boolean } {
    const { from, refs } = this.joined();
    const ref = this.random.pick(refs);
    const column = this.column(
      ref,
      (one) =>
        one.type.sql !== 'citext' &&
        one.type.sql !== 'text collate nocase' &&
        one.type.family !== 'numeric' &&
        one.type.family !== 'float' &&
        one.type.family !== 'json',
    );
    const name = this.name(ref, column);
    if (this.maybe(0.5, 'DISTINCT ON')) {
      const order = refs.map((one) => `${one.alias}::text`).join(', ');
      return {
        sql: `select distinct on (${name}) ${name} as d, ${this.targets(refs)} from ${from}${this.where(refs)} order by ${name}, ${this.intOf(ref)} desc, ${order}`,
        ordered: true,
      };
    }
    return { sql: `select distinct ${name} from ${from}${this.where(refs)}`, ordered: false };
  }

  window(): { sql: string; ordered: boolean } {
    const { from, refs } = this.joined();
    const ref = this.random.pick(refs);
    const order = `${this.intOf(ref)}, ${refs.map((one) => `${one.alias}::text`).join(', ')}`;
    const partition = this.random.chance(0.5) ? `partition by ${this.intOf(ref)} ` : '';
    const fn = this.random.pick([
      `row_number() over (${partition}order by ${order})`,
      `lag(${this.intOf(ref)}) over (order by ${order})`,
      `count(*) over (${partition.trim()})`,
      'count(*) over w',
      `sum(${this.intOf(ref)}) over w`,
    ]);
    const clause = fn.endsWith(' w') ? ` window w as (${partition.trim()})` : '';
    return {
      sql: `select ${this.targets(refs)}, ${fn} as win from ${from}${this.where(refs)}${clause}`,
      ordered: false,
    };
  }

  setOperation(): { sql: string; ordered: boolean } {
    const part = (): string => {
      const ref = this.ref();
      return `select ${this.intOf(ref)} as n, ${ref.alias}::text as t from ${this.from(ref)}${this.where([ref])}`;
    };
    const op = this.random.pick(['union', 'union all', 'except', 'except all', 'intersect']);
    this.count(op);
    const tail = this.random.chance(0.3) ? ` order by n, t limit ${1 + this.random.int(4)}` : '';
    return { sql: `${part()} ${op} ${part()}${tail}`, ordered: tail !== '' };
  }

  cte(): { sql: string; ordered: boolean } {
    const inner = this.ref();
    const kind = this.random.pick([
      'plain',
      'materialized',
      'twice',
      'recursive',
      'shadow',
      'unused',
    ] as const);
    this.count(`CTE ${kind}`);
    const body = `select * from ${this.from(inner)}${this.where([inner])}`;
    const shape: Ref = { alias: 'q', table: inner.table };
    if (kind === 'recursive') {
      return {
        sql: `with recursive r(n, d) as (select ${this.intOf(inner)}, 0 from ${this.from(inner)}${this.where([inner])} union select ${this.intOf({ alias: 'j', table: inner.table })}, d + 1 from r join ${inner.table.name} j on ${this.intOf({ alias: 'j', table: inner.table })} = r.n + 1 where d < 3) select n, d from r`,
        ordered: false,
      };
    }
    if (kind === 'shadow' && !inner.table.name.includes('.')) {
      return {
        sql: `with ${inner.table.name} as (${body}) select ${this.targets([shape])} from ${inner.table.name} as q${this.where([shape])}`,
        ordered: false,
      };
    }
    if (kind === 'twice') {
      const second: Ref = { alias: 'q2', table: inner.table };
      return {
        sql: `with c as (${body}) select ${this.targets([shape])} from c as q left join c as q2 on ${this.intOf(shape)} = ${this.intOf(second)}${this.where([shape])}`,
        ordered: false,
      };
    }
    if (kind === 'unused')
      return {
        sql: `with c as (${body}) select ${this.targets([shape])} from ${inner.table.name} as q${this.where([shape])}`,
        ordered: false,
      };
    return {
      sql: `with c as ${kind === 'materialized' ? 'materialized ' : ''}(${body}) select ${this.targets([shape])} from c as q${this.where([shape])}`,
      ordered: false,
    };
  }

  derived(): { sql: string; ordered: boolean } {
    const inner = this.ref();
    const { orderBy, limit } = this.tail([inner]);
    const shape: Ref = { alias: 'q', table: inner.table };
    const cut = this.maybe(0.3, 'LIMIT inside');
    return {
      sql: `select ${this.targets([shape])} from (select * from ${this.from(inner)}${this.where([inner])}${cut ? orderBy + limit : ''}) as q${this.where([shape], 1)}`,
      ordered: false,
    };
  }

  lateral(): { sql: string; ordered: boolean } {
    const outer = this.ref();
    const inner = this.ref();
    const kind = this.random.pick([', lateral', 'cross join lateral', 'left join lateral']);
    this.count(kind);
    const cut = this.random.chance(0.5) ? ` order by ${inner.alias}::text limit 2` : '';
    const sub = `(select ${this.targets([inner])} from ${this.from(inner)} where ${this.intOf(inner)} = ${this.intOf(outer)}${cut}) as l`;
    return {
      sql: `select ${this.targets([outer])}, l.* from ${this.from(outer)}${kind.startsWith(',') ? '' : ' '}${kind} ${sub}${kind.startsWith('left') ? ' on true' : ''}${this.where([outer])}`,
      ordered: false,
    };
  }

  srf(): { sql: string; ordered: boolean } {
    const ref = this.ref();
    const array = ref.table.columns.find((one) => one.type.family === 'array');
    const fn =
      array !== undefined ? `unnest(${ref.alias}.${array.name})` : `generate_series(1, ${this.intOf(ref)})`;
    this.count(array === undefined ? 'generate_series' : 'unnest');
    return {
      sql: `select ${this.targets([ref])}, s.v from ${this.from(ref)}, ${fn} as s(v)${this.where([ref])}`,
      ordered: false,
    };
  }

  bare(): { sql: string; ordered: boolean } {
    // No qualifiers: names are found by the rules of scopes.
    const table = this.table();
    const inner = this.table();
    const [a, b] = [this.random.pick(table.columns), this.random.pick(inner.columns)];
    this.count('unqualified names');
    const kind = this.random.int(5);
    if (kind === 0) return { sql: `select * from ${table.name} where ${a.name} is not null`, ordered: false };
    if (kind === 1)
      return {
        sql: `select count(*), (select count(*) from ${inner.name} where ${a.name} is null) from ${table.name} where ${b.name} is not null`,
        ordered: false,
      };
    if (kind === 2)
      return {
        sql: `select ${table.name.includes('.') ? a.name : table.name} from ${table.name}`,
        ordered: false,
      };
    if (kind === 3)
      return {
        sql: `select ${a.name} as zz from ${table.name} order by 1, ${table.name.split('.').pop()}::text limit 3`,
        ordered: true,
      };
    return { sql: `select * from ${table.name} natural join ${inner.name} as other`, ordered: false };
  }

  valuesJoin(): { sql: string; ordered: boolean } {
    const ref = this.ref();
    return {
      sql: `select ${this.targets([ref])} from (values (1, 'a'), (2, 'b')) as v(n, s) left join ${this.from(ref)} on ${this.intOf(ref)} = v.n${this.random.chance(0.5) ? ` and ${this.condition([ref], 1)}` : ''}`,
      ordered: false,
    };
  }

  functions(): { sql: string; ordered: boolean } {
    const ref = this.ref();
    this.count('function of the user');
    if (this.random.chance(0.5))
      return {
        sql: `select ${this.random.pick(this.schema.functions)}(${this.random.int(4)}) as fn`,
        ordered: false,
      };
    return {
      sql: `select ${this.targets([ref])} from ${this.from(ref)} where ${this.random.pick(this.schema.functions)}(${this.intOf(ref)}) > 1`,
      ordered: false,
    };
  }
}

const shapes = [
  'page',
  'page',
  'page',
  'antijoin',
  'outerOn',
  'counted',
  'counted',
  'antijoin',
  'byKey',
  'byKey',
  'byKey',
  'list',
  'list',
  'list',
  'list',
  'listByReference',
  'listByReference',
  'aggregate',
  'aggregate',
  'distinct',
  'window',
  'setOperation',
  'cte',
  'derived',
  'lateral',
  'srf',
  'bare',
  'valuesJoin',
  'functions',
] as const;

const has = (table: TableSpec, name: string): boolean => table.columns.some((one) => one.name === name);

function missing(): never {
  throw new Error('a table without columns');
}
