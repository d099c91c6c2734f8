import type { Node } from 'coherent-render-server';
import { grouped, spoken } from './text.tsx';

/** Numbered pages: both ends, the neighbours, and gaps in between. */
export function pagesNav(props: { page: number; pages: number; href: (page: number) => string }): Node {
  const { page, pages, href } = props;
  if (pages < 2) return null;
  return (
    <nav className="pages" aria-label="Pages">
      {page > 1 && (
        <a className="step" href={href(page - 1)} rel="prev">
          Previous
        </a>
      )}
      {shown(page, pages).map((n) => (n === undefined ? gap() : numbered(n, page, href(n))))}
      {page < pages && (
        <a className="step" href={href(page + 1)} rel="next">
          Next
        </a>
      )}
    </nav>
  );
}

function numbered(n: number, page: number, href: string): Node {
  const far = Math.abs(n - page) > 1 && n !== 1 ? 'far' : undefined;
  return (
    <a className={far} href={href} aria-current={n === page ? 'page' : undefined}>
      {spoken('Page ')}
      {grouped(n)}
    </a>
  );
}

function gap(): Node {
  return (
    <span className="far" aria-hidden="true">
      …
    </span>
  );
}

/** Undefined where numbers are left out. */
function shown(page: number, pages: number): (number | undefined)[] {
  const wanted = [1, page - 2, page - 1, page, page + 1, page + 2, pages].filter((n) => n >= 1 && n <= pages);
  const numbers = [...new Set(wanted)].sort((a, b) => a - b);
  return numbers.flatMap((n, at) => (at > 0 && n - (numbers[at - 1] ?? 0) > 1 ? [undefined, n] : [n]));
}

/** For lists that go on by cursor: only onward, as a reader does. */
export function olderLink(href: string, text: string): Node {
  return (
    <nav className="more" aria-label="More">
      <a href={href} rel="next">
        {text}
      </a>
    </nav>
  );
}
