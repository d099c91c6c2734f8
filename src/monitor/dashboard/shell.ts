// The dashboard before its first figures: every section with its heading and what stands there while nothing is known.
// src/client/dashboard/ finds its places by the ids given here.
import type { Node } from '../../render/element.ts';
import { json } from '../../render/trust.ts';
import { dashboardDocument, mark } from './document.ts';

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

interface PanelOptions {
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly empty?: string;
}

function panel({ id, title, note, empty = 'no data yet' }: PanelOptions): Node {
  return {
    section: {
      className: 'panel',
      id,
      'aria-labelledby': `${id}-title`,
      children: [
        {
          header: {
            children: [
              { h2: { id: `${id}-title`, text: title } },
              note !== undefined && { p: { className: 'faint', text: note } },
            ],
          },
        },
        { div: { className: 'content', children: [{ p: { className: 'empty', text: empty } }] } },
      ],
    },
  };
}

const orders = [
  { id: 'hottest', title: 'Hottest' },
  { id: 'slowest', title: 'Slowest' },
  { id: 'purged', title: 'Most purged' },
] as const;

const pages: Node = {
  section: {
    className: 'panel',
    id: 'pages',
    'aria-labelledby': 'pages-title',
    children: [
      {
        header: {
          children: [
            { h2: { id: 'pages-title', text: 'Pages' } },
            {
              div: {
                className: 'tabs',
                role: 'group',
                'aria-label': 'Order of the pages',
                children: orders.map(({ id, title }, index) => ({
                  button: {
                    type: 'button',
                    'data-order': id,
                    'aria-pressed': index === 0 ? 'true' : 'false',
                    text: title,
                  },
                })),
              },
            },
          ],
        },
      },
      { div: { className: 'content', children: [{ p: { className: 'empty', text: 'no data yet' } }] } },
    ],
  },
};

const explain: Node = {
  section: {
    className: 'panel',
    id: 'explain',
    'aria-labelledby': 'explain-title',
    children: [
      { header: { children: [{ h2: { id: 'explain-title', text: 'Explain' } }] } },
      {
        form: {
          className: 'ask',
          children: [
            {
              label: {
                htmlFor: 'explain-what',
                text: 'A path (what was it made from, where does it lie?) or a key (what would a purge hit?)',
              },
            },
            field('explain-what', '/users/17 or users#17', 'Explain'),
          ],
        },
      },
      { div: { className: 'content', 'aria-live': 'polite' } },
    ],
  },
};

const purge: Node = {
  section: {
    className: 'panel',
    id: 'purge',
    'aria-labelledby': 'purge-title',
    children: [
      { header: { children: [{ h2: { id: 'purge-title', text: 'Purge' } }] } },
      {
        form: {
          className: 'ask',
          children: [
            {
              label: {
                htmlFor: 'purge-keys',
                text: 'Keys, separated by spaces. With a * a key is a pattern.',
              },
            },
            field('purge-keys', 'users#17 posts.user_id=17', 'Purge'),
            {
              label: {
                className: 'check',
                children: [
                  { input: { type: 'checkbox', id: 'purge-expire' } },
                  ' Expire only: may still be served while a new one is made',
                ],
              },
            },
          ],
        },
      },
      { div: { className: 'content', 'aria-live': 'polite' } },
    ],
  },
};

function field(id: string, placeholder: string, button: string): Node {
  return {
    div: {
      className: 'field',
      children: [
        {
          input: {
            id,
            type: 'text',
            required: true,
            placeholder,
            autocomplete: 'off',
            autocapitalize: 'off',
            spellcheck: 'false',
          },
        },
        { button: { type: 'submit', className: 'primary', text: button } },
      ],
    },
  };
}

const tail: Node = {
  section: {
    className: 'panel',
    id: 'tail',
    'aria-labelledby': 'tail-title',
    children: [
      {
        header: {
          children: [
            { h2: { id: 'tail-title', text: 'Live requests' } },
            { p: { className: 'faint', id: 'tail-note', text: 'A sample, taken while this page is open.' } },
            {
              div: {
                className: 'tail-tools',
                children: [
                  {
                    label: {
                      htmlFor: 'tail-filter',
                      className: 'visually-hidden',
                      text: 'Show only requests that contain',
                    },
                  },
                  {
                    input: {
                      id: 'tail-filter',
                      type: 'search',
                      placeholder: 'Filter',
                      autocomplete: 'off',
                      spellcheck: 'false',
                    },
                  },
                  { button: { type: 'button', id: 'tail-pause', 'aria-pressed': 'false', text: 'Pause' } },
                ],
              },
            },
          ],
        },
      },
      { div: { className: 'content', children: [{ p: { className: 'empty', text: 'no requests yet' } }] } },
    ],
  },
};

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
