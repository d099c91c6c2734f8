// What the pages of one row show. The peers write the same bytes by hand (bench/peers/servers/by-hand.mjs).
import type { Node } from 'coherent-render-server';

export interface Item {
  readonly id: number;
  readonly name: string;
  readonly price: number;
  readonly version: number;
}

export function itemView({ id, name, price, version }: Item, description?: Node): Node {
  return {
    article: {
      className: 'item',
      children: [
        { h1: name },
        { p: { className: 'price', children: [`$${price}.00`] } },
        { p: `Number ${id}, version ${version}` },
        description ?? null,
      ],
    },
  };
}
