import type { TemplateShape } from './template-shape.ts';

/**
 * Markup with holes: static strings that the code of the page wrote, and the values between them. What a hole
 * takes is known from where it stands, which was found once for all templates of this shape. The brand is a private
 * field: no data can be taken for one, and static strings come from code only.
 */
export class Template {
  readonly #shape: TemplateShape;
  /** As they were given, one for each hole. */
  readonly values: readonly unknown[];

  constructor(shape: TemplateShape, values: readonly unknown[]) {
    this.#shape = shape;
    this.values = values;
  }

  static is(value: object): value is Template {
    return value instanceof Template && #shape in value;
  }

  get shape(): TemplateShape {
    return this.#shape;
  }
}
