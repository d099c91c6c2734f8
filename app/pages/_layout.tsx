import { layout, type Node } from 'coherent-render-server';
import { searchForm } from '../components/search-form.tsx';

/** The Fortunes page is compared with a reference byte for byte; nothing may stand around its table. */
const BARE = '/fortunes';

const SECTIONS = [
  { href: '/posts', name: 'Posts' },
  { href: '/users', name: 'People' },
  { href: '/search', name: 'Search', className: 'to-search' },
  { href: '/about', name: 'About' },
  { href: '/my/posts', name: 'Mine' },
];

export default layout({
  lang: 'en',
  head: ({ asset, route }) =>
    route !== BARE && (
      <>
        <meta name="color-scheme" content="light dark" />
        <meta name="theme-color" content="#fbfbf8" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#13161d" media="(prefers-color-scheme: dark)" />
        <link rel="icon" type="image/svg+xml" href={asset('/favicon.svg')} />
        <link rel="stylesheet" href={asset('/style.css')} />
      </>
    ),
  view: ({ content, route }) =>
    route === BARE ? (
      content
    ) : (
      <>
        <a className="skip" href="#content">
          Skip to the content
        </a>
        {masthead(route)}
        <main id="content" className="wide">
          {content}
        </main>
        {colophon()}
      </>
    ),
});

function masthead(route: string): Node {
  return (
    <header className="masthead">
      <div className="wide">
        <a className="wordmark" href="/">
          {mark()}
          <span>Commonplace</span>
        </a>
        <nav aria-label="Sections">
          <ul>
            {SECTIONS.map((section) => (
              <li className={section.className}>{sectionLink(section, route)}</li>
            ))}
          </ul>
        </nav>
        {route !== '/search' && searchForm({ id: 'find' })}
      </div>
    </header>
  );
}

function sectionLink({ href, name }: (typeof SECTIONS)[number], route: string): Node {
  const current = route === href ? 'page' : route.startsWith(`${href}/`) ? 'true' : undefined;
  return (
    <a href={href} aria-current={current}>
      {name}
    </a>
  );
}

/** A sheet with its margin. */
function mark(): Node {
  return (
    <svg width={22} height={26} viewBox="0 0 22 26" fill="none" aria-hidden="true">
      <rect className="page-outline" x={0.75} y={0.75} width={20.5} height={24.5} rx={2} stroke-width={1.5} />
      <path className="page-margin" d="M7 1v24" stroke-width={1.5} />
      <path className="page-line" d="M10 8h8M10 13h8M10 18h5" stroke-width={1.5} />
    </svg>
  );
}

function colophon(): Node {
  return (
    <footer className="colophon">
      <div className="wide">
        <p>Commonplace is a sample. Nobody here is real, except perhaps the tortoise.</p>
        <ul>
          <li>
            <a href="/about">How it is made</a>
          </li>
          <li>
            <a href="/fortunes">Fortunes</a>
          </li>
        </ul>
      </div>
    </footer>
  );
}
