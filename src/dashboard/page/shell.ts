// The dashboard before its first figures: every section with its heading and what stands there while nothing is known.
// src/dashboard/browser/ finds its places by the ids given here.
import type { Node } from '../../render/element.ts';
import { json } from '../../render/trust.ts';
import { dashboardDocument, mark } from './document.ts';
import { explain, pages, panel, purge, tail } from './panels.ts';

export interface ShellOptions {
  readonly assets: string;
  /** The files of the script, the first one first. */
  readonly modules: readonly string[];
}

/** As it is written between the tags: its hash goes into the page's Content-Security-Policy. */
export function importMap(assets: string): string {
  return json({ imports: { uplot: `${assets}/uplot.js` } }).toString();
}

export function shellPage({ assets, modules }: ShellOptions): Node {
  const [main = ''] = modules;
  return dashboardDocument({
    title: 'coherent-server',
    assets,
    head: [
      { link: { rel: 'stylesheet', href: `${assets}/uplot.css` } },
      { script: { type: 'importmap', html: json({ imports: { uplot: `${assets}/uplot.js` } }) } },
      ...modules.map((file) => ({ link: { rel: 'modulepreload', href: `${assets}/${file}` } })),
      { script: { type: 'module', src: `${assets}/${main}` } },
    ],
    body: [
      { a: { className: 'skip', href: '#workers', text: 'Skip to the figures' } },
      masthead,
      {
        main: {
          children: [
            {
              noscript: {
                children: [
                  {
                    p: {
                      className: 'notice',
                      text: 'The dashboard needs JavaScript. The same figures: coherent-server top, and GET /metrics.',
                    },
                  },
                ],
              },
            },
            { p: { id: 'lost', className: 'notice', role: 'status', hidden: true } },
            { section: { id: 'alerts', 'aria-label': 'Alerts', hidden: true } },
            {
              section: {
                id: 'tiles',
                className: 'tiles',
                'aria-label': 'Now',
                children: tileNames.map(tile),
              },
            },
            {
              section: {
                id: 'charts',
                className: 'charts',
                'aria-label': 'Over time',
                children: charts.map(chart),
              },
            },
            panel({
              id: 'workers',
              title: 'Workers',
              note: 'p50 and p99 are of answers of the last 30 seconds.',
            }),
            pages,
            {
              div: {
                className: 'columns',
                children: [
                  {
                    div: {
                      className: 'stack',
                      children: [panel({ id: 'tiers', title: 'Cache tiers' }), explain, purge],
                    },
                  },
                  panel({
                    id: 'advice',
                    title: 'Recommendations',
                    empty: 'Nothing to recommend yet: it takes some traffic.',
                  }),
                ],
              },
            },
            tail,
          ],
        },
      },
      confirmation,
      { div: { id: 'said', className: 'said', role: 'status', 'aria-live': 'polite' } },
    ],
  });
}

const masthead: Node = {
  header: {
    className: 'masthead',
    children: [
      { h1: { children: [mark, { span: { text: 'coherent-server' } }] } },
      { span: { id: 'phase', className: 'pill', text: 'connecting' } },
      { span: { id: 'build', className: 'faint' } },
      {
        span: {
          id: 'link',
          className: 'link',
          'data-state': 'connecting',
          children: [{ i: {} }, { span: { text: 'connecting' } }],
        },
      },
      {
        div: {
          className: 'actions',
          children: [
            { button: { type: 'button', id: 'reload', text: 'Reload workers' } },
            {
              form: {
                method: 'post',
                action: '/dashboard/logout',
                id: 'logout',
                hidden: true,
                children: [{ button: { type: 'submit', text: 'Log out' } }],
              },
            },
          ],
        },
      },
    ],
  },
};

const tileNames = [
  { id: 'rps', title: 'Requests' },
  { id: 'hits', title: 'From cache' },
  { id: 'latency', title: 'Answer time p99' },
  { id: 'renders', title: 'Renders' },
  { id: 'purges', title: 'Purges' },
  { id: 'applied', title: 'Commit to applied p99' },
] as const;

function tile({ id, title }: (typeof tileNames)[number]): Node {
  return {
    div: {
      className: 'tile',
      id: `tile-${id}`,
      children: [
        { h2: { text: title } },
        { p: { className: 'figure', children: [{ b: { text: '–' } }, { span: {} }] } },
        { p: { className: 'aside', text: 'no data yet' } },
      ],
    },
  };
}

const charts = [
  { id: 'requests', title: 'Answers per second' },
  { id: 'share', title: 'Hit rate by tier, %' },
  { id: 'bytes', title: 'Held by tier, MiB' },
  { id: 'purging', title: 'Purges, and commit to applied' },
] as const;

function chart({ id, title }: (typeof charts)[number]): Node {
  return {
    figure: {
      className: 'panel chart',
      id: `chart-${id}`,
      children: [
        { figcaption: { children: [{ h2: { text: title } }, { div: { className: 'legend' } }] } },
        {
          div: {
            className: 'plot',
            role: 'img',
            'aria-label': title,
            children: [{ p: { className: 'empty', text: 'no data yet' } }],
          },
        },
      ],
    },
  };
}

const confirmation: Node = {
  dialog: {
    id: 'confirm',
    'aria-labelledby': 'confirm-title',
    children: [
      {
        form: {
          method: 'dialog',
          children: [
            { h2: { id: 'confirm-title' } },
            { p: { id: 'confirm-text' } },
            {
              div: {
                className: 'field',
                children: [
                  { button: { value: 'cancel', text: 'Cancel' } },
                  { button: { value: 'go', className: 'primary', id: 'confirm-go' } },
                ],
              },
            },
          ],
        },
      },
    ],
  },
};
