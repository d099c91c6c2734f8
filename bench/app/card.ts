// The page that every contestant serves: thirty lines of a list, about 3 KB. Pure, so that peers can render it too.
import type { Node } from 'coherent-render-server';

export interface Card {
  readonly id: string;
  readonly items: readonly { readonly name: string; readonly price: number }[];
}

export function cardOf(id: string): Card {
  return {
    id,
    items: Array.from({ length: 30 }, (_, index) => ({
      name: `Item ${index} of ${id} <new> & "used"`,
      price: index * 2,
    })),
  };
}

export function cardView({ id, items }: Card): Node {
  return {
    section: {
      className: 'card',
      children: [
        { h1: `Card ${id}` },
        { p: 'The same words on every page, so that pages differ only where they should.' },
        { ul: { children: items.map(line) } },
      ],
    },
  };
}

function line({ name, price }: Card['items'][number]): Node {
  return { li: { className: 'item', children: [{ b: name }, { span: `$${price}.00` }] } };
}
