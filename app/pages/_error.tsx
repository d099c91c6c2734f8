import { errorPage } from 'coherent-render-server';

export default errorPage({
  head: ({ status }) => ({ title: `${headline(status)} · Commonplace`, robots: 'noindex' }),
  view: ({ status, id, detail }) => (
    <>
      <h1>{headline(status)}</h1>
      <p className="lead">{advice(status)}</p>
      <p className="note">
        {'If you write to us about it, mention '}
        <code>{id}</code>
        {'.'}
      </p>
      {detail !== undefined && <pre className="detail">{detail}</pre>}
    </>
  ),
});

function headline(status: number): string {
  if (status === 503) return 'Back in a moment';
  return status < 500 ? 'That did not work' : 'The ink has run';
}

function advice(status: number): string {
  if (status === 503)
    return 'Too much is going on at once, or the shelves cannot be reached. Please try again shortly.';
  return status < 500
    ? 'The address asks for something this page does not understand.'
    : 'Something went wrong on our side. It has been written down.';
}
