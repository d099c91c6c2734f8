import { fragment } from 'coherent-render-server';
import { items, paragraph } from '../say.js';

/** Shared by every page that nests it; an item that is gone by now says nothing. */
export const item = fragment('item', {
  key: ({ id }) => id,
  load: ({ key, db }) => db.byId('items', key),
  view: (row) => paragraph(row === null ? '' : items([row])),
});
