import type { ErrorProps } from '../definitions/error-page.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'This address cannot be understood',
  403: 'This page is not for you',
  404: 'Not found',
  429: 'Too many attempts',
  500: 'Something went wrong',
  503: 'For a moment this page is not available',
};

/** The page for failures that needs nothing: no application, no renderer, no data. */
export function plainError({ status, id, detail }: ErrorProps): string {
  const title = TITLES[status] ?? `Error ${status}`;
  const details = detail === undefined ? '' : `<pre>${asText(detail)}</pre>`;
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>` +
    `<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}` +
    `pre{overflow:auto}</style></head><body><main><h1>${title}</h1><p>Error ${status}, reference <code>${asText(id)}</code>.</p>` +
    `${details}</main></body></html>`
  );
}

function asText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
