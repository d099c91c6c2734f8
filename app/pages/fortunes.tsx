import { page } from 'coherent-render-server';

interface Fortune {
  readonly id: number;
  readonly message: string;
}

/** The Fortunes test of TechEmpower's benchmarks: all rows, one added, sorted, escaped; never cached. */
export default page({
  cache: { ttlMs: 0 },
  load: async ({ db }) => {
    const rows = await db.query<Fortune>('select id, message from fortune');
    const fortunes = [...rows, { id: 0, message: 'Additional fortune added at request time.' }];
    return fortunes.sort((a, b) => (a.message < b.message ? -1 : a.message > b.message ? 1 : 0));
  },
  head: () => ({ title: 'Fortunes' }),
  view: (fortunes) => (
    <table>
      <tr>
        <th>id</th>
        <th>message</th>
      </tr>
      {fortunes.map(({ id, message }) => (
        <tr>
          <td>{id}</td>
          <td>{message}</td>
        </tr>
      ))}
    </table>
  ),
});
