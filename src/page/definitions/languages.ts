import Negotiator from 'negotiator';

/**
 * Which of `available` a browser likes best by its Accept-Language; undefined: none of them, or nothing was sent. `en-US`
 * finds `en`, as RFC 4647 has it.
 */
export function preferredLanguage<L extends string>(
  acceptLanguage: string | undefined,
  available: readonly L[],
): L | undefined {
  if (acceptLanguage === undefined) return undefined;
  const negotiator = new Negotiator({ headers: { 'accept-language': acceptLanguage } });
  const [best] = negotiator.languages([...available]);
  return available.find((language) => language === best);
}
