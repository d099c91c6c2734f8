// The framed parts of the dashboard, each with its heading and what stands in it while nothing is known.
import type { Node } from '../../render/element.ts';

interface PanelOptions {
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly empty?: string;
}

export function panel({ id, title, note, empty = 'no data yet' }: PanelOptions): Node {
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

export const pages: Node = {
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

export const explain: Node = {
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

export const purge: Node = {
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

export const tail: Node = {
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
