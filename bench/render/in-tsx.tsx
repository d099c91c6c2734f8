// The workloads as TSX. Measured twice: as tsc compiles it, calls of jsx(), and precompiled by the plugin.
import { fixed } from '../../src/render/fixed.ts';
import { renderToBuffer } from '../../src/render/render.ts';
import { trusted } from '../../src/render/trust.ts';
import {
  colors,
  footerSections,
  type Item,
  items,
  lorem,
  metas,
  purchases,
  scripts,
  spiral,
  spiralCss,
  uuidRows,
} from './data.ts';
import type { ViewSet } from './workload.ts';

const rows = uuidRows(1000);
const css = trusted(spiralCss);

const Spiral = () => (
  <html>
    <head>
      <title>Spiral</title>
      <style html={css} />
    </head>
    <body>
      <div id="wrapper">
        {spiral().map(({ x, y }) => (
          <div className="tile" style={`left: ${x.toFixed(2)}px; top: ${y.toFixed(2)}px`} />
        ))}
      </div>
    </body>
  </html>
);

const Table = () => (
  <table>
    <tbody>
      {rows.map((row) => (
        <tr>
          <td>{row.id}</td>
          <td>{row.name}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Purchases = ({ name: user }: { readonly name: string }) => (
  <html lang="en">
    <head>
      <title>Purchases</title>
      {metas.map(([name, content]) => (
        <meta name={name} content={content} />
      ))}
      <link rel="stylesheet" href="/style.css" />
      {scripts.map((src) => (
        <script src={src} />
      ))}
    </head>
    <body>
      <header className="header">
        <h1 className="title">Hello</h1>
        <nav>
          <ul>
            {['Home', 'About', 'Contact'].map((name) => (
              <li>
                <a href="/">{name}</a>
              </li>
            ))}
          </ul>
        </nav>
      </header>
      <main className="content">
        <h2>Purchases</h2>
        <div className="purchases">
          {purchases.map(({ name, price, quantity }) => (
            <div className="purchase purchase-card">
              <div className="purchase-name">{name}</div>
              <div className="purchase-price">{price}</div>
              <div className="purchase-quantity">{quantity}</div>
            </div>
          ))}
        </div>
        <section className="profile">
          <h2>User profile</h2>
          <p className="name">{user}</p>
        </section>
        <aside className="sidebar">
          <h2>Last purchases</h2>
          <ul>
            {purchases.slice(0, 3).map(({ name, price }) => (
              <li>
                {name} - ${price.toFixed(2)}
              </li>
            ))}
          </ul>
        </aside>
        <p className="lorem">{lorem}</p>
      </main>
      <footer className="footer">
        <p>All rights reserved</p>
      </footer>
    </body>
  </html>
);

/** As for every contender whose syntax can keep what never changes. */
const footer = fixed(
  <footer className="footer">
    {footerSections.map(({ title, links }) => (
      <section>
        <h3>{title}</h3>
        <ul>
          {links.map((link) => (
            <li>
              <a href="/">{link}</a>
            </li>
          ))}
        </ul>
      </section>
    ))}
  </footer>,
);

const Search = ({ found }: { readonly found: readonly Item[] }) => (
  <main>
    <div className="search-results">
      {found.map(({ id, title, price, image }) => (
        <div className="search-results-item" style="background-color: #fafafa">
          <h2>{title}</h2>
          <div className="lvpic pic img left">
            <div className="lvpicinner full-width picW">
              <a href={`/buy/${id}`} className="img imgWr2">
                <img src={image} alt={title} />
              </a>
            </div>
          </div>
          <span>{price}</span>
          <button className="buy-now" type="button">
            Buy now!
          </button>
        </div>
      ))}
    </div>
    {footer}
  </main>
);

const Colors = () => (
  <div className="colors">
    <h1>Choose your favorite color:</h1>
    <ul>
      {colors.map(({ name, hex }, i) => (
        <li className={i === 0 ? 'color selected' : 'color'} title={name} style={`background-color: ${hex}`}>
          {name}
        </li>
      ))}
    </ul>
    <p>
      You chose: <em>{colors[0]?.name}</em>
    </p>
  </div>
);

export const tsxViews: ViewSet<Buffer> = {
  spiral: () => renderToBuffer(<Spiral />) as Buffer,
  table: () => renderToBuffer(<Table />) as Buffer,
  purchases: () => renderToBuffer(<Purchases name="Arthur" />) as Buffer,
  search: (turn) => {
    const found = Array.from({ length: 100 }, (_, i) => items[(turn * 100 + i) % items.length] as Item);
    return renderToBuffer(<Search found={found} />) as Buffer;
  },
  colors: () => renderToBuffer(<Colors />) as Buffer,
};
