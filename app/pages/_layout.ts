import { layout, type Node } from 'coherent-render-server';
import { searchForm } from '../components/search-form.ts';

/** The Fortunes page is compared with a reference byte for byte; nothing may stand around its table. */
const BARE = '/fortunes';

const SECTIONS = [
  { href: '/posts', name: 'Posts' },
  { href: '/users', name: 'People' },
  { href: '/search', name: 'Search', className: 'to-search' },
  { href: '/about', name: 'About' },
];

export default layout({
  lang: 'en',
  head: ({ asset, route }) =>
    route !== BARE && [
      { meta: { name: 'color-scheme', content: 'light dark' } },
      { meta: { name: 'theme-color', content: '#fbfbf8', media: '(prefers-color-scheme: light)' } },
      { meta: { name: 'theme-color', content: '#13161d', media: '(prefers-color-scheme: dark)' } },
      { link: { rel: 'icon', type: 'image/svg+xml', href: asset('/favicon.svg') } },
      { link: { rel: 'stylesheet', href: asset('/style.css') } },
    ],
  view: ({ content, route }) =>
    route === BARE
      ? content
      : [
          { a: { className: 'skip', href: '#content', text: 'Skip to the content' } },
          masthead(route),
          { main: { id: 'content', className: 'wide', children: content } },
          colophon(),
        ],
});

function masthead(route: string): Node {
  return {
    header: {
      className: 'masthead',
      children: {
        div: {
          className: 'wide',
          children: [
            { a: { className: 'wordmark', href: '/', children: [mark(), { span: 'Commonplace' }] } },
            {
              nav: {
                'aria-label': 'Sections',
                children: {
                  ul: {
                    children: SECTIONS.map((section) => ({
                      li: { className: section.className, children: sectionLink(section, route) },
                    })),
                  },
                },
              },
            },
            // The search page has a larger one of its own.
            route !== '/search' && searchForm({ id: 'find' }),
          ],
        },
      },
    },
  };
}

function sectionLink({ href, name }: (typeof SECTIONS)[number], route: string): Node {
  const current = route === href ? 'page' : route.startsWith(`${href}/`) ? 'true' : undefined;
  return { a: { href, 'aria-current': current, text: name } };
}

/** A sheet with its margin. */
function mark(): Node {
  return {
    svg: {
      width: 22,
      height: 26,
      viewBox: '0 0 22 26',
      fill: 'none',
      'aria-hidden': 'true',
      children: [
        {
          rect: {
            className: 'page-outline',
            x: 0.75,
            y: 0.75,
            width: 20.5,
            height: 24.5,
            rx: 2,
            'stroke-width': 1.5,
          },
        },
        { path: { className: 'page-margin', d: 'M7 1v24', 'stroke-width': 1.5 } },
        { path: { className: 'page-line', d: 'M10 8h8M10 13h8M10 18h5', 'stroke-width': 1.5 } },
      ],
    },
  };
}

function colophon(): Node {
  return {
    footer: {
      className: 'colophon',
      children: {
        div: {
          className: 'wide',
          children: [
            { p: 'Commonplace is a sample. Nobody here is real, except perhaps the tortoise.' },
            {
              ul: {
                children: [
                  { li: { children: { a: { href: '/about', text: 'How it is made' } } } },
                  { li: { children: { a: { href: '/fortunes', text: 'Fortunes' } } } },
                ],
              },
            },
          ],
        },
      },
    },
  };
}
