/**
 * Which addresses plain data may put into an attribute. Schemes are listed that are known to run nothing in the
 * page; a scheme that is not listed is refused, so no future or forgotten way to write a program as an address
 * gets through. `trusted(address)` vouches for others.
 */
const harmlessSchemes = new Set(
  'http https ftp ftps sftp mailto tel sms sip sips geo magnet xmpp irc ircs webcal matrix news nntp ssh git cid mid urn'.split(
    ' ',
  ),
);

/** Pictures, sound and fonts cannot run anything, wherever they are opened. A picture in SVG can. */
const harmlessData =
  /^data:(?:image\/(?:png|jpe?g|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon|apng)|audio\/[\w.+-]+|video\/[\w.+-]+|font\/[\w.+-]+)[;,]/i;
const svgData = /^data:image\/svg\+xml[;,]/i;

/** Characters a browser drops from an address: these before it, tabs and line ends anywhere. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the disguises
const droppedBefore = /^[\u0000-\u0020]+/;
const droppedAnywhere = /[\t\n\r]/g;
const scheme = /^([a-z][a-z0-9+.-]*):/i;
/** What a reader that decodes once too often would take for a colon, a letter or nothing. */
const characterReference = /&(?:#|[a-z]+;)/i;

/** The address as a browser reads it. */
function plainUrl(url: string): string {
  return url.replace(droppedAnywhere, '').replace(droppedBefore, '');
}

/** Schemes of programs. Only trusted() can admit them. */
const programs = new Set([
  'javascript',
  'vbscript',
  'livescript',
  'blob',
  'filesystem',
  'view-source',
  'jar',
  'feed',
]);

/** The scheme of `url`, '' where it has none. Undefined: it is not among `schemes` (those known to be harmless, if not told), or is a program's. */
export function schemeIfHarmless(url: string, schemes?: readonly string[]): string | undefined {
  const plain = plainUrl(url);
  const found = scheme.exec(plain);
  if (found === null) return hidesScheme(plain) ? undefined : '';
  const name = (found[1] ?? '').toLowerCase();
  if (programs.has(name)) return undefined;
  const isAdmitted =
    schemes === undefined ? harmlessSchemes.has(name) : schemes.some((each) => each.toLowerCase() === name);
  if (!isAdmitted || (name === 'data' && !harmlessData.test(plain))) return undefined;
  return name;
}

const slash = 47;
const hash = 35;

/** Whether following, loading or submitting to `url` cannot run a script in the page. */
export function isHarmlessUrl(url: string, asImage = false): boolean {
  const first = url.charCodeAt(0);
  if (first === slash || first === hash || url.startsWith('https://')) return true;
  const plain = plainUrl(url);
  const found = scheme.exec(plain);
  if (found === null) return !hidesScheme(plain);
  const name = (found[1] ?? '').toLowerCase();
  if (name === 'data') return harmlessData.test(plain) || (asImage && svgData.test(plain));
  return harmlessSchemes.has(name);
}

/**
 * No scheme as it stands, but perhaps one for a laxer reader: with character references or characters
 * that are not seen left in. Nothing before a colon of a real relative address looks like that.
 */
function hidesScheme(plain: string): boolean {
  const head = /^[^/?]*/.exec(plain)?.[0] ?? '';
  return characterReference.test(head) || /^[^#]*:/.test(head);
}

/** `srcset` and `ping`: addresses, and perhaps sizes, between white space. Commas belong to whatever they touch. */
export function isHarmlessList(list: string, asImage = false): boolean {
  return list.split(/\s+/).every((part) => isHarmlessUrl(part.replace(/^,+/, ''), asImage));
}

/** What is left of a list when the addresses that could run a script are taken out, each with its size. Undefined: nothing. */
export function harmlessPart(name: string, list: string, asImage: boolean): string | undefined {
  const isSet = name.endsWith('srcset');
  const parts = isSet ? candidates(list) : list.split(/\s+/);
  const kept = parts.filter((part) => part !== '' && isHarmlessList(part, asImage));
  return kept.length === 0 ? undefined : kept.join(isSet ? ', ' : ' ');
}

/** The candidates of a `srcset` as HTML parses them: a comma ends one only after its address, or after its sizes. */
function candidates(list: string): string[] {
  const found: string[] = [];
  for (let rest = list; ; ) {
    const [separators = ''] = /^[\s,]*/.exec(rest) ?? [];
    rest = rest.slice(separators.length);
    const [address = ''] = /^\S+/.exec(rest) ?? [];
    if (address === '') return found;
    rest = rest.slice(address.length);
    const url = address.replace(/,+$/, '');
    const [sizes = ''] = url === address ? (/^(?:[^,(]|\([^)]*\)?)*/.exec(rest) ?? []) : [];
    rest = rest.slice(sizes.length);
    found.push(`${url}${sizes}`.trim());
  }
}

/**
 * An address on this site: no scheme, no other host. What is loaded from it is the site's own. Whether a scheme is
 * hidden in it is not asked here but of every address, by isHarmlessUrl.
 */
export function isLocalUrl(url: string): boolean {
  const plain = plainUrl(url);
  return !scheme.test(plain) && !/^[/\\]{2}/.test(plain);
}

/** A script file of this site by its path alone: nothing in it that a program of the site might answer to. */
const ownScript = /^(?:\/[\w.~@%+-]+)+\.m?js$/;

export function isOwnScript(url: string): boolean {
  return ownScript.test(url);
}
