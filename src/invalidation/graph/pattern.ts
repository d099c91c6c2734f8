/**
 * Whether a key looks like a pattern, in which `*` stands for any characters, also none. Linear in practice and never
 * worse than key times pattern: a regular expression of many stars is not.
 */
export function looksLike(key: string, pattern: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let resumeAt = 0;
  while (at < key.length) {
    if (pattern[inPattern] === '*') {
      star = inPattern++;
      resumeAt = at;
    } else if (inPattern < pattern.length && pattern[inPattern] === key[at]) {
      at++;
      inPattern++;
    } else if (star >= 0) {
      // The last star takes one more; earlier ones need not, since a later match is as good for what follows.
      inPattern = star + 1;
      at = ++resumeAt;
    } else return false;
  }
  while (pattern[inPattern] === '*') inPattern++;
  return inPattern === pattern.length;
}
