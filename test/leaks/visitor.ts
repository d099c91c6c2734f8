// A visitor with marks: texts that belong to them alone, in all that a browser can send. None of them may reach another.
import type { Random } from '../coherence/random.ts';

export interface MarkedVisitor {
  /** What a search for leaks looks for. Every text of this visitor holds it. */
  readonly mark: string;
  readonly locale: string;
  readonly host: string;
  /** Of the session, once signed in. */
  session: string | undefined;
}

let made = 0;

export function makeVisitor(random: Random, hosts: readonly string[]): MarkedVisitor {
  // Letters alone: what escaping, compressing in pieces or cutting could change is not in it.
  const mark = `Mark${(made++).toString(36)}x${Math.floor(random() * 1e9).toString(36)}Kram`;
  const host = hosts[Math.floor(random() * hosts.length)] ?? '';
  return { mark, locale: random() < 0.5 ? 'en' : 'ar', host, session: undefined };
}

/** Whatever is asked for, the marks come along. Which cookies differs, so that visitors with and without them meet. */
export function headersOf({ mark, locale, host, session }: MarkedVisitor, random: Random): string {
  const cookies = [`_ga=${mark}`];
  if (session !== undefined && random() < 0.8) cookies.push(session);
  if (random() < 0.4) cookies.push(`seen=${mark}`);
  if (random() < 0.3) cookies.push(`session=${mark}`);
  if (random() < 0.5) cookies.push(`locale=${locale}`);
  const encodings = ['gzip', 'br', 'gzip, br', 'identity'];
  return [
    `Host: ${host}`,
    `Cookie: ${cookies.join('; ')}`,
    `Accept-Language: ${locale}, x-${mark};q=0.1`,
    `Accept-Encoding: ${encodings[Math.floor(random() * encodings.length)]}`,
    `User-Agent: ${mark}`,
    `Referer: http://${host}/${mark}`,
    `X-Forwarded-For: ${mark}`,
    `X-Forwarded-Host: ${mark}.example`,
    `X-Mark: ${mark}`,
    ...(random() < 0.2 ? [`If-None-Match: "${mark}"`] : []),
  ].join('\r\n');
}
