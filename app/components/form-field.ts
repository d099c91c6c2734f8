import type { Feedback, Node } from 'coherent-render-server';

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** Of the input or textarea. */
  readonly props: Readonly<Record<string, unknown>>;
  readonly rows?: number;
  /** What was typed is not sent back. */
  readonly secret?: boolean;
}

/** A label, what is typed, and what is wrong with it. The first field that is wrong has the focus, so that it is in view. */
export function formField(
  { name, label, hint, props, rows, secret = false }: Field,
  feedback: Feedback | undefined,
): Node {
  const error = feedback?.errors[name];
  const isFirst = feedback !== undefined && Object.keys(feedback.errors)[0] === name;
  const typed = secret ? '' : (feedback?.values[name] ?? '');
  const described = [hint !== undefined && `${name}-hint`, error !== undefined && `${name}-error`].filter(
    Boolean,
  );
  const control: Record<string, unknown> = {
    id: name,
    name,
    required: true,
    autofocus: isFirst,
    'aria-describedby': described.length > 0 ? described.join(' ') : undefined,
    'aria-invalid': error === undefined ? undefined : 'true',
    ...props,
  };
  return {
    div: {
      children: [
        { label: { for: name, text: label } },
        error !== undefined && { p: { id: `${name}-error`, className: 'wrong', text: error } },
        rows === undefined
          ? { input: { ...control, value: typed } }
          : { textarea: { ...control, rows, text: typed } },
        hint !== undefined && { p: { id: `${name}-hint`, className: 'hint', text: hint } },
      ],
    },
  };
}

/** Of a page that is shown again: that something is wrong is the first thing a screen reader says. */
export function titled(title: string, feedback: Feedback | undefined): string {
  return `${feedback === undefined ? '' : 'Please check: '}${title} · Commonplace`;
}
