import type { Feedback, Node } from 'coherent-render-server';

/** Posts to the page it stands in. With `feedback` it shows what was typed, and beside each field what is wrong with it. */
export function commentForm(feedback: Feedback | undefined): Node {
  return {
    form: {
      className: 'comment-form',
      method: 'post',
      'aria-labelledby': 'add-comment',
      children: [
        { h3: { id: 'add-comment', text: 'Add a comment' } },
        field('handle', 'Your handle', feedback, (props) => ({
          input: { ...props, maxlength: 60, autocomplete: 'username', value: feedback?.values.handle ?? '' },
        })),
        field('body', 'Comment', feedback, (props) => ({
          textarea: { ...props, rows: 4, maxlength: 4000, text: feedback?.values.body ?? '' },
        })),
        { button: { type: 'submit', text: 'Add' } },
      ],
    },
  };
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
  return {
    div: {
      children: [
        { label: { for: `comment-${name}`, text: label } },
        control(props),
        error !== undefined && { p: { id: `comment-${name}-error`, className: 'wrong', text: error } },
      ],
    },
  };
}
