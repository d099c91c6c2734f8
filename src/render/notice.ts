/** Something that is wrong with a tree and does not keep the rest of it from being rendered. */
export interface Notice {
  /** Where in the view: the path without the numbers of rows, `root.ul.children[].a`. */
  readonly place: string;
  readonly problem: string;
  /** The beginning of what stood there. */
  readonly value: string;
}
