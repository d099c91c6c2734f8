const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const special = /[&<>"']/;
const ampersand = 38;
const greater = 62;

/**
 * Text as it may stand between tags and in a quoted attribute. The same five characters everywhere: one
 * rule, no context to mistake.
 */
export function escapeHtml(text: string): string {
  let at = text.search(special);
  if (at < 0) return text;
  let escaped = '';
  let from = 0;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // All five are below this, and most text is above.
    if (code > greater || (code > ampersand + 1 && code < 60)) continue;
    const entity = entities[text.charAt(at)];
    if (entity === undefined) continue;
    escaped += text.slice(from, at) + entity;
    from = at + 1;
  }
  return escaped + text.slice(from);
}
