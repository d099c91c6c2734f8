// The pages that read a database, as the peers make them: SQL and strings by hand, everything escaped, the bytes and
// headers of ours.
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';

export const port = Number(process.argv[2]);

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
/** Behind a pooler in transaction mode a name may meet a process that does not know it. */
const isPooled = process.env.POOLED === '1';

const query = (name, text, values) => pool.query(isPooled ? { text, values } : { name, text, values });

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text) {
  return /[&<>"']/.test(text) ? text.replaceAll(/[&<>"']/g, (char) => ESCAPES[char]) : text;
}

function documentOf(title, body) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title></head><body><main>${body}</main></body></html>`;
}

async function itemRow(id) {
  const text = 'select id, name, price, version from items where id = $1';
  const { rows } = await query('item', text, [id]);
  return rows[0];
}

function articleOf({ id, name, price, version }, description) {
  return `<article class="item"><h1>${escape(name)}</h1><p class="price">$${price}.00</p><p>Number ${id}, version ${version}</p>${description}</article>`;
}

export async function item(id) {
  const row = await itemRow(id);
  return row && documentOf(row.name, articleOf(row, ''));
}

export async function description(id) {
  const { rows } = await query('description', 'select text, version from descriptions where id = $1', [id]);
  const [row] = rows;
  return row === undefined
    ? ''
    : `<section class="description"><p>${escape(row.text)}</p><small>version ${row.version}</small></section>`;
}

/** `descriptionOf`: from where the part comes that is kept by itself. */
export async function described(id, descriptionOf = description) {
  const row = await itemRow(id);
  return row && documentOf(row.name, articleOf(row, await descriptionOf(id)));
}

export async function fortunes() {
  const { rows } = await query('fortunes', 'select id, message from fortune', []);
  rows.push({ id: 0, message: 'Additional fortune added at request time.' });
  rows.sort((a, b) => (a.message < b.message ? -1 : a.message > b.message ? 1 : 0));
  const lines = rows.map(({ id, message }) => `<tr><td>${id}</td><td>${escape(message)}</td></tr>`);
  return documentOf('Fortunes', `<table><tr><th>id</th><th>message</th></tr>${lines.join('')}</table>`);
}

const SAME_FOR_ALL = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'strict-origin-when-cross-origin',
  vary: 'accept-encoding',
  'x-content-type-options': 'nosniff',
};

/** Those that ours sends. */
export function headersOf(kind, body) {
  return {
    ...SAME_FOR_ALL,
    'cache-control': kind === 'fortunes' ? 'no-store' : 'public, max-age=0, must-revalidate',
    'cache-status': 'peer; fwd=uri-miss',
    'content-length': body.length,
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    'x-request-id': randomUUID().slice(-12),
  };
}
