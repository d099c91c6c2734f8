// The page as the peers make it: the same view, rendered by the same renderer, in the same document.
import { hash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { cardOf, cardView } from '../../../dist/bench/app/card.js';
import { countRender } from '../../../dist/bench/app/renders.js';
import { SECURITY_HEADERS } from '../../../dist/src/http/response/security-headers.js';
import { render } from '../../../dist/src/render/render.js';

export async function renderPage(kind, id) {
  if (kind === 'slow') {
    countRender();
    await setTimeout(200);
  }
  const body = await render(cardView(cardOf(id)));
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Card ${id}</title></head><body><main>${body}</main></body></html>`;
}

export const port = Number(process.argv[2]);

/** As this server tells them of a page, flat: name and value. */
export const HEADERS = [
  ...['content-type', 'text/html; charset=utf-8', 'cache-control', 'public, max-age=0, must-revalidate'],
  ...['vary', 'accept-encoding', 'content-security-policy', "default-src 'self'; script-src 'self'; object-src 'none'"],
  ...SECURITY_HEADERS,
];

export const etagOf = (body) => `"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
