// What the attributes of elements take. All may be absent (false, null, undefined), computed by a function without
// arguments, or awaited; text that is vouched for stands anywhere.
import type { SafeUrl } from '../safe-url.ts';
import type { Trusted } from '../trust.ts';

export type Value<T> = T | Trusted | false | null | undefined | PromiseLike<Value<T>> | (() => Value<T>);

export type Text = Value<string | number>;
/** Present or not: `disabled`. */
export type Flag = Value<boolean>;
export type Numeric = Value<number | `${number}`>;
export type Url = Value<string | SafeUrl>;
export type OneOf<Word extends string> = Value<Word>;
/** Words that are written out: present without a value is not the same as true. */
export type TrueOrFalse = Value<'true' | 'false'>;
/** Known words, and others that a browser may come to know. */
export type Word<Known extends string> = Value<Known | (string & Record<never, never>)>;

export type ClassItem = string | false | 0 | null | undefined | readonly ClassItem[];
/** One text, or a list of those that hold: `['card', isNew && 'new']`. */
export type ClassList = Value<string | readonly ClassItem[]>;

/** `{ backgroundColor: 'red', '--gap': '4px' }`. A number is written without a unit. */
export interface Style {
  readonly [property: string]: string | number | Trusted | false | null | undefined;
}

/** Code in an attribute. A policy keeps browsers from running it; scripts are what listens. */
export type Handler = Trusted | false | null | undefined;
