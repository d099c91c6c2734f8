// What the dashboard's two pages have around them. They are rendered once, when the server is built, so that the
// operations port can show them with no worker alive, from a process that holds no rendering code.
import type { Node } from '../../render/element.ts';
import { trusted } from '../../render/trust.ts';

export interface DocumentOptions {
  readonly title: string;
  /** Where this build's files are: `/dashboard/assets/<revision>`. */
  readonly assets: string;
  readonly head?: Node;
  readonly body: Node;
}

export function dashboardDocument({ title, assets, head, body }: DocumentOptions): Node {
  return [
    trusted('<!doctype html>'),
    {
      html: {
        lang: 'en',
        children: [
          {
            head: {
              children: [
                { meta: { charset: 'utf-8' } },
                { meta: { name: 'viewport', content: 'width=device-width, initial-scale=1' } },
                { meta: { name: 'color-scheme', content: 'light dark' } },
                { meta: { name: 'robots', content: 'noindex' } },
                { title: { text: title } },
                { link: { rel: 'icon', href: `${assets}/icon.svg`, type: 'image/svg+xml' } },
                { link: { rel: 'stylesheet', href: `${assets}/dashboard.css` } },
                head,
              ],
            },
          },
          { body: { children: [body] } },
        ],
      },
    },
  ];
}

/** The mark: two pages of which the one in front is the one behind. */
export const mark: Node = {
  svg: {
    className: 'mark',
    viewBox: '0 0 20 20',
    width: 20,
    height: 20,
    'aria-hidden': 'true',
    children: [
      { rect: { x: 6, y: 2, width: 11, height: 13, rx: 2.5, className: 'mark-back' } },
      { rect: { x: 3, y: 5, width: 11, height: 13, rx: 2.5, className: 'mark-front' } },
    ],
  },
};
