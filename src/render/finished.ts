import { isThenable } from './pending.ts';
import type { Walk } from './walk.ts';

/** The HTML of a fragment, which the page around it knows. */
export function writeFragment(walk: Walk, node: object, depth: number): void {
  const html = walk.scope.fragment(node);
  if (html === undefined) {
    throw walk.error(
      'E_FRAGMENT',
      depth,
      'A fragment needs a page around it: render was given no "resolveFragment"',
    );
  }
  if (isThenable(html)) walk.later(html, depth, (later, given) => writeFinished(later, given, depth));
  else writeFinished(walk, html, depth);
}

/** HTML that was rendered before. */
function writeFinished(walk: Walk, html: unknown, depth: number): void {
  if (typeof html === 'string') walk.out.raw(html);
  else if (html instanceof Uint8Array) walk.out.rendered(html);
  else {
    throw walk.error(
      'E_FRAGMENT',
      depth,
      `"resolveFragment" gave neither a string nor bytes but ${typeof html}`,
    );
  }
}
