const slots = 1024;
const most = 4096;

/**
 * What is known of each tag or attribute name. Names come from the code of the application, so there are few
 * of them and each is met a thousand times a page: a small array found by length and three characters
 * stands before the map. Names may also come from data, so the map is bounded.
 */
export class NameTable<Rule extends { readonly key: string }> {
  readonly #front: (Rule | undefined)[] = new Array(slots).fill(undefined);
  readonly #rules = new Map<string, Rule>();
  readonly #make: (key: string) => Rule;

  constructor(make: (key: string) => Rule) {
    this.#make = make;
  }

  get(key: string): Rule {
    const size = key.length;
    if (size === 0) return this.#make(key);
    const slot =
      (size * 7 + key.charCodeAt(0) * 31 + key.charCodeAt(size >> 1) * 5 + key.charCodeAt(size - 1) * 3) &
      (slots - 1);
    const rule = this.#front[slot];
    return rule !== undefined && rule.key === key ? rule : this.#behind(key, slot);
  }

  #behind(key: string, slot: number): Rule {
    let rule = this.#rules.get(key);
    if (rule === undefined) {
      rule = this.#make(key);
      if (this.#rules.size < most) this.#rules.set(key, rule);
    }
    this.#front[slot] = rule;
    return rule;
  }
}
