import type { Node } from 'coherent-render-server';

/** A plain form that sends its words in the address; works without script. `id` tells two on one page apart. */
export function searchForm({ id, q = '', large = false }: { id: string; q?: string; large?: boolean }): Node {
  return (
    <form className={large ? 'search large' : 'search'} role="search" action="/search" method="get">
      <label className="hidden" for={id}>
        Search posts and people
      </label>
      <input
        id={id}
        type="search"
        name="q"
        value={q}
        placeholder="Search"
        maxlength={80}
        autocomplete="off"
      />
      <button type="submit">Search</button>
    </form>
  );
}
