import type { Feedback, Node } from 'coherent-render-server';

/** Posts to the page it stands in. With `feedback` it shows what was typed, and beside each field what is wrong with it. */
export function commentForm(feedback: Feedback | undefined): Node {
  return (
    <form className="comment-form" method="post" aria-labelledby="add-comment">
      <h3 id="add-comment">Add a comment</h3>
      {field('handle', 'Your handle', feedback, (props) => (
        <input {...props} maxlength={60} autocomplete="username" value={feedback?.values.handle ?? ''} />
      ))}
      {field('body', 'Comment', feedback, (props) => (
        <textarea {...props} rows={4} maxlength={4000}>
          {feedback?.values.body ?? ''}
        </textarea>
      ))}
      <button type="submit">Add</button>
    </form>
  );
}

function field(
  name: string,
  label: string,
  feedback: Feedback | undefined,
  control: (props: Record<string, unknown>) => Node,
): Node {
  const error = feedback?.errors[name];
  const props = {
    id: `comment-${name}`,
    name,
    required: true,
    ...(error !== undefined && { 'aria-invalid': 'true', 'aria-describedby': `comment-${name}-error` }),
  };
  return (
    <div>
      <label for={`comment-${name}`}>{label}</label>
      {control(props)}
      {error !== undefined && (
        <p id={`comment-${name}-error`} className="wrong">
          {error}
        </p>
      )}
    </div>
  );
}
