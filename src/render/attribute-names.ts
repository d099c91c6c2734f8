import { NameTable } from './name-table.ts';

/** What an attribute is. Plain numbers, for a switch that is passed a thousand times a page. */
export const kind = {
  plain: 0,
  style: 1,
  /** One address. */
  url: 2,
  /** Several addresses. */
  urlList: 3,
  /** Code of the browser's: `onclick`. */
  handler: 4,
  /** A document in an attribute. */
  document: 5,
  invalid: 6,
} as const;

export type Kind = (typeof kind)[keyof typeof kind];

/** What the renderer knows of an attribute, by its key among an element's props. */
export interface AttributeRule {
  readonly key: string;
  readonly kind: Kind;
  /** The name in lower case, as guards want it. */
  readonly name: string;
  /** ` name` and ` name="`. */
  readonly bare: string;
  readonly open: string;
  /** Its values are as few as names are, so all of them are remembered. */
  readonly isClass: boolean;
  /** A bit for each name that two keys stand for, so that both at once are noticed. 0 for all others. */
  readonly twin: number;
}

const renamed: ReadonlyMap<string, string> = new Map([
  ['className', 'class'],
  ['htmlFor', 'for'],
]);

const validName = /^[a-zA-Z_][\w:.-]*$/;

const urls = new Set(
  (
    'href src action formaction data poster cite background manifest longdesc usemap profile codebase classid ' +
    'code archive icon lowsrc dynsrc xml:base'
  ).split(' '),
);
const urlLists = new Set(['srcset', 'imagesrcset', 'ping', 'attributionsrc']);

function kindOf(key: string, name: string): Kind {
  if (!validName.test(key)) return kind.invalid;
  if (name === 'style') return kind.style;
  if (name === 'srcdoc') return kind.document;
  if (name.startsWith('on')) return kind.handler;
  // Whatever its prefix: xlink:href and its like.
  const local = name.slice(name.lastIndexOf(':') + 1);
  if (urls.has(name) || local === 'href' || local === 'src') return kind.url;
  return urlLists.has(name) ? kind.urlList : kind.plain;
}

const rules = new NameTable<AttributeRule>((key) => {
  const written = renamed.get(key) ?? key;
  const name = written.toLowerCase();
  return {
    key,
    kind: kindOf(key, name),
    name,
    bare: ` ${written}`,
    open: ` ${written}="`,
    isClass: name === 'class',
    twin: name === 'class' ? 1 : name === 'for' ? 2 : 0,
  };
});

export function attributeRule(key: string): AttributeRule {
  return rules.get(key);
}
