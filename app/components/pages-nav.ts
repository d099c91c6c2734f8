import type { Node } from 'coherent-render-server';
import { grouped, spoken } from './text.ts';

/** Numbered pages: both ends, the neighbours, and gaps in between. */
export function pagesNav(props: { page: number; pages: number; href: (page: number) => string }): Node {
  const { page, pages, href } = props;
  if (pages < 2) return null;
  return {
    nav: {
      className: 'pages',
      'aria-label': 'Pages',
      children: [
        page > 1 && { a: { className: 'step', href: href(page - 1), rel: 'prev', text: 'Previous' } },
        shown(page, pages).map((n) => (n === undefined ? gap() : numbered(n, page, href(n)))),
        page < pages && { a: { className: 'step', href: href(page + 1), rel: 'next', text: 'Next' } },
      ],
    },
  };
}

function numbered(n: number, page: number, href: string): Node {
  const far = Math.abs(n - page) > 1 && n !== 1 ? 'far' : undefined;
  return {
    a: {
      className: far,
      href,
      'aria-current': n === page ? 'page' : undefined,
      children: [spoken('Page '), grouped(n)],
    },
  };
}

function gap(): Node {
  return { span: { className: 'far', 'aria-hidden': 'true', text: '…' } };
}

/** Undefined where numbers are left out. */
function shown(page: number, pages: number): (number | undefined)[] {
  const wanted = [1, page - 2, page - 1, page, page + 1, page + 2, pages].filter((n) => n >= 1 && n <= pages);
  const numbers = [...new Set(wanted)].sort((a, b) => a - b);
  return numbers.flatMap((n, at) => (at > 0 && n - (numbers[at - 1] ?? 0) > 1 ? [undefined, n] : [n]));
}

/** For lists that go on by cursor: only onward, as a reader does. */
export function olderLink(href: string, text: string): Node {
  return { nav: { className: 'more', 'aria-label': 'More', children: { a: { href, rel: 'next', text } } } };
}
