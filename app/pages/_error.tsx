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
  if (status === 403) return 'This room is not yours';
  if (status === 429) return 'That was a bit much';
  return status < 500 ? 'That did not work' : 'The ink has run';
}

function advice(status: number): string {
  if (status === 503)
    return 'Too much is going on at once, or the shelves cannot be reached. Please try again shortly.';
  if (status === 403) return 'You are signed in, and this is for others.';
  if (status === 429) return 'It was tried too often. Please wait a few minutes, and try again.';
  return status < 500
    ? 'The address asks for something this page does not understand.'
    : 'Something went wrong on our side. It has been written down.';
}
