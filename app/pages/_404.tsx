import { page } from 'coherent-render-server';
import { searchForm } from '../components/search-form.tsx';

export default page({
  head: () => ({ title: 'Not found · Commonplace', robots: 'noindex' }),
  view: () => (
    <>
      <h1>This page is not in the book</h1>
      <p className="lead">It may have been torn out, or the address has a slip of the pen in it.</p>
      {searchForm({ id: 'lost', large: true })}
      <p className="more">
        <a href="/">Back to the first page</a>
      </p>
    </>
  ),
});
