// The names this server answers for (ALLOWED_HOSTS). Pages do not depend on the Host header, so a wrong one cannot
// reach a cached page; but a browser that was led here under another host's name (DNS rebinding), or a cache in
// front that keys by a name of the attacker's choice, should get nothing at all.

interface Pattern {
  /** Lower case, without a dot at the end. Of `*.example.org`: `.example.org`. */
  readonly name: string;
  readonly isSuffix: boolean;
  /** Undefined: whatever port. */
  readonly port: string | undefined;
}

const PARTS = /^(\*\.)?(\[[0-9a-f:.]+\]|[^:]+?)\.?(?::(\d+))?$/i;

export class AllowedHosts {
  /** Undefined: every host is allowed. */
  readonly #patterns: readonly Pattern[] | undefined;

  /** `list` as the setting has it; the host of `publicOrigin` is always part of a list. */
  constructor(list: string | undefined, publicOrigin?: string) {
    if (list === undefined) return;
    const own = publicOrigin === undefined ? [] : [new URL(publicOrigin).host];
    this.#patterns = [...list.split(','), ...own].flatMap((each) => patternOf(each.trim()));
  }

  /** `host` is the Host header; undefined in HTTP/1.0 without one. */
  allows(host: string | undefined): boolean {
    if (this.#patterns === undefined) return true;
    const [, , name, port] = PARTS.exec(host ?? '') ?? [];
    if (name === undefined) return false;
    const asked = name.toLowerCase();
    return this.#patterns.some(
      (pattern) =>
        (pattern.isSuffix ? asked.endsWith(pattern.name) : asked === pattern.name) &&
        (pattern.port === undefined || pattern.port === port),
    );
  }
}

function patternOf(text: string): Pattern[] {
  const [, star, name, port] = PARTS.exec(text) ?? [];
  if (name === undefined) return [];
  const isSuffix = star !== undefined;
  return [{ name: `${isSuffix ? '.' : ''}${name.toLowerCase()}`, isSuffix, port }];
}
