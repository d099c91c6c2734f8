import type { Node } from './element.ts';
import { RenderError } from './errors.ts';
import { render } from './render.ts';
import { type Trusted, trusted } from './trust.ts';

/**
 * Renders a node once, for all pages: a footer, a menu, an icon. Call it where the module is loaded, not in a view,
 * and only with what is the same for every visitor.
 *
 * @example const footer = fixed({ footer: { children: [...] } });
 */
export function fixed(node: Node): Trusted {
  const html = render(node);
  if (typeof html === 'string') return trusted(html);
  html.catch(() => undefined);
  throw new RenderError(
    'E_NODE_TYPE',
    'root',
    'fixed() takes what can be rendered at once; this has to be waited for',
  );
}
