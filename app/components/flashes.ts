import type { Flash, Node } from 'coherent-render-server';

/** What was said before the redirect. */
export function flashNotes(flashes: readonly Flash[]): Node {
  return flashes.map(({ kind, text }) => ({ p: { className: `flash ${kind}`, role: 'status', text } }));
}
