import { page } from 'coherent-render-server';
import { searchForm } from '../components/search-form.ts';

export default page({
  head: () => ({ title: 'Not found · Commonplace', robots: 'noindex' }),
  view: () => [
    { h1: 'This page is not in the book' },
    {
      p: {
        className: 'lead',
        text: 'It may have been torn out, or the address has a slip of the pen in it.',
      },
    },
    searchForm({ id: 'lost', large: true }),
    { p: { className: 'more', children: { a: { href: '/', text: 'Back to the first page' } } } },
  ],
});
