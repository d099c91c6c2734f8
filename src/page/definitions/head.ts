/** What a page says about itself; rendered into <head> by the server. Absent fields render nothing. */
export interface Head {
  readonly title: string;
  readonly description?: string;
  /** A path or absolute URL; made absolute with the configured public origin. */
  readonly canonical?: string;
  readonly robots?: string;
  readonly openGraph?: Readonly<Record<string, string>>;
}
