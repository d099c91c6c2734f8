const ids = Array.from({ length: 30 }, (_, index) => index);

export function Card({ id }) {
  return (
    <section className="card">
      <h1>Card {id}</h1>
      <p>The same words on every page, so that pages differ only where they should.</p>
      <ul>
        {ids.map((index) => (
          <li className="item" key={index}>
            <b>{`Item ${index} of ${id} <new> & "used"`}</b>
            <span>{`$${index * 2}.00`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
