// What a page shows of its data, in a form that the check can read back: `i7=3` is item 7 in its version 3.
import { notFound } from 'coherent-render-server';
import { z } from 'zod';

export const id = z.coerce.number().int().positive();

/** While the column has another name there is nothing to show: an error, and no page that seems to lack the row. */
export const items = (rows) =>
  rows.map(({ id, version }) => {
    if (version === undefined) throw new Error('The column is not there.');
    return `i${id}=${version} `;
  });

export const one = (row) => (row === null ? notFound() : items([row]));

export const paragraph = (text) => ({ p: text });
