/** The props of an element or component, as a compiler of JSX gives them. */
export type JsxProps = Readonly<Record<string, unknown>>;

/** What `<p title="x">text</p>` stands for: an element `{ p: { title: 'x', children: 'text' } }`, or a component that is called when it is rendered. */
export class JsxElement {
  /** A tag, or a component. */
  readonly type: unknown;
  readonly props: JsxProps;

  constructor(type: unknown, props: JsxProps) {
    this.type = type;
    this.props = props;
  }
}

/** The component that `<>...</>` stands for: its children, without an element around them. */
export function Fragment({ children }: { readonly children?: unknown }): unknown {
  return children;
}
