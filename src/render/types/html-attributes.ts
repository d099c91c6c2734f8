// Attributes of single elements of HTML, beside those of all.
import type { GlobalAttributes } from './global-attributes.ts';
import type { Flag, Numeric, OneOf, Text, Url, Value, Word } from './values.ts';

type ReferrerPolicy = OneOf<
  | ''
  | 'no-referrer'
  | 'no-referrer-when-downgrade'
  | 'origin'
  | 'origin-when-cross-origin'
  | 'same-origin'
  | 'strict-origin'
  | 'strict-origin-when-cross-origin'
  | 'unsafe-url'
>;
type CrossOrigin = Value<boolean | '' | 'anonymous' | 'use-credentials'>;
type Method = OneOf<'get' | 'post' | 'dialog'>;
type Enctype = OneOf<'application/x-www-form-urlencoded' | 'multipart/form-data' | 'text/plain'>;
type Target = Word<'_self' | '_blank' | '_parent' | '_top'>;
type Loading = OneOf<'eager' | 'lazy'>;
type Priority = OneOf<'high' | 'low' | 'auto'>;

interface LinkTarget {
  readonly href?: Url;
  readonly target?: Target;
  readonly download?: Value<boolean | string>;
  readonly ping?: Text;
  readonly rel?: Text;
  readonly referrerpolicy?: ReferrerPolicy;
}

export interface AnchorAttributes extends GlobalAttributes, LinkTarget {
  readonly hreflang?: Text;
  readonly type?: Text;
}

export interface AreaAttributes extends GlobalAttributes, LinkTarget {
  readonly alt?: Text;
  readonly coords?: Text;
  readonly shape?: OneOf<'rect' | 'circle' | 'poly' | 'default'>;
}

export interface BaseAttributes extends GlobalAttributes {
  readonly href?: Value<'/'>;
  readonly target?: Target;
}

interface Sized {
  readonly width?: Numeric;
  readonly height?: Numeric;
}

interface FormOwned {
  readonly name?: Text;
  readonly disabled?: Flag;
  readonly form?: Text;
}

interface Submitting {
  readonly formaction?: Url;
  readonly formenctype?: Enctype;
  readonly formmethod?: Method;
  readonly formnovalidate?: Flag;
  readonly formtarget?: Target;
}

interface PopoverButton {
  readonly popovertarget?: Text;
  readonly popovertargetaction?: OneOf<'hide' | 'show' | 'toggle'>;
}

export interface ButtonAttributes extends GlobalAttributes, FormOwned, Submitting, PopoverButton {
  readonly type?: OneOf<'submit' | 'reset' | 'button'>;
  readonly value?: Text;
  readonly command?: Text;
  readonly commandfor?: Text;
}

export interface CanvasAttributes extends GlobalAttributes, Sized {}

export interface CellAttributes extends GlobalAttributes {
  readonly colspan?: Numeric;
  readonly rowspan?: Numeric;
  readonly headers?: Text;
}

export interface HeaderCellAttributes extends CellAttributes {
  readonly scope?: OneOf<'row' | 'col' | 'rowgroup' | 'colgroup'>;
  readonly abbr?: Text;
}

export interface ColumnAttributes extends GlobalAttributes {
  readonly span?: Numeric;
}

export interface DataAttributes extends GlobalAttributes {
  readonly value?: Text;
}

export interface DetailsAttributes extends GlobalAttributes {
  readonly open?: Flag;
  readonly name?: Text;
}

export interface DialogAttributes extends GlobalAttributes {
  readonly open?: Flag;
  readonly closedby?: OneOf<'any' | 'closerequest' | 'none'>;
}

export interface EditAttributes extends GlobalAttributes {
  readonly cite?: Url;
  readonly datetime?: Text;
}

export interface EmbedAttributes extends GlobalAttributes, Sized {
  readonly src?: Url;
  readonly type?: Text;
}

export interface FieldsetAttributes extends GlobalAttributes, FormOwned {}

export interface FormAttributes extends GlobalAttributes {
  readonly action?: Url;
  readonly method?: Method;
  readonly enctype?: Enctype;
  readonly name?: Text;
  readonly target?: Target;
  readonly rel?: Text;
  readonly novalidate?: Flag;
  readonly autocomplete?: OneOf<'on' | 'off'>;
  readonly 'accept-charset'?: Text;
}

export interface HtmlAttributes extends GlobalAttributes {
  readonly xmlns?: Text;
  readonly prefix?: Text;
}

export interface IframeAttributes extends GlobalAttributes, Sized {
  readonly src?: Url;
  /** A document: text of the page itself, `trusted(...)`. */
  readonly srcdoc?: Value<never>;
  readonly name?: Text;
  readonly allow?: Text;
  readonly allowfullscreen?: Flag;
  readonly loading?: Loading;
  readonly referrerpolicy?: ReferrerPolicy;
  readonly sandbox?: Value<boolean | string>;
}

export interface ImageAttributes extends GlobalAttributes, Sized {
  readonly src?: Url;
  readonly srcset?: Text;
  readonly sizes?: Text;
  readonly alt?: Text;
  readonly crossorigin?: CrossOrigin;
  readonly decoding?: OneOf<'sync' | 'async' | 'auto'>;
  readonly fetchpriority?: Priority;
  readonly ismap?: Flag;
  readonly loading?: Loading;
  readonly referrerpolicy?: ReferrerPolicy;
  readonly usemap?: Url;
}

type InputType =
  | 'button'
  | 'checkbox'
  | 'color'
  | 'date'
  | 'datetime-local'
  | 'email'
  | 'file'
  | 'hidden'
  | 'image'
  | 'month'
  | 'number'
  | 'password'
  | 'radio'
  | 'range'
  | 'reset'
  | 'search'
  | 'submit'
  | 'tel'
  | 'text'
  | 'time'
  | 'url'
  | 'week';

interface Typed {
  readonly autocomplete?: Text;
  readonly dirname?: Text;
  readonly maxlength?: Numeric;
  readonly minlength?: Numeric;
  readonly placeholder?: Text;
  readonly readonly?: Flag;
  readonly required?: Flag;
}

export interface InputAttributes
  extends GlobalAttributes,
    FormOwned,
    Submitting,
    PopoverButton,
    Sized,
    Typed {
  readonly type?: OneOf<InputType>;
  readonly value?: Text;
  readonly accept?: Text;
  readonly alpha?: Flag;
  readonly alt?: Text;
  readonly capture?: Value<boolean | 'user' | 'environment'>;
  readonly checked?: Flag;
  readonly list?: Text;
  readonly max?: Text;
  readonly min?: Text;
  readonly multiple?: Flag;
  readonly pattern?: Text;
  readonly size?: Numeric;
  readonly src?: Url;
  readonly step?: Value<number | `${number}` | 'any'>;
  readonly switch?: Flag;
}

export interface LabelAttributes extends GlobalAttributes {
  /** `for`. */
  readonly htmlFor?: Text;
  readonly for?: Text;
}

export interface ListItemAttributes extends GlobalAttributes {
  readonly value?: Numeric;
}

export interface LinkAttributes extends GlobalAttributes {
  readonly href?: Url;
  readonly rel?: Text;
  readonly as?: Text;
  readonly blocking?: OneOf<'render'>;
  readonly color?: Text;
  readonly crossorigin?: CrossOrigin;
  readonly disabled?: Flag;
  readonly fetchpriority?: Priority;
  readonly hreflang?: Text;
  readonly imagesizes?: Text;
  readonly imagesrcset?: Text;
  readonly integrity?: Text;
  readonly media?: Text;
  readonly referrerpolicy?: ReferrerPolicy;
  readonly sizes?: Text;
  readonly type?: Text;
}

export interface MapAttributes extends GlobalAttributes {
  readonly name?: Text;
}

interface MediaAttributes extends GlobalAttributes {
  readonly src?: Url;
  readonly autoplay?: Flag;
  readonly controls?: Flag;
  readonly controlslist?: Text;
  readonly crossorigin?: CrossOrigin;
  readonly loop?: Flag;
  readonly muted?: Flag;
  readonly preload?: OneOf<'none' | 'metadata' | 'auto' | ''>;
  readonly disableremoteplayback?: Flag;
}

export interface AudioAttributes extends MediaAttributes {}

export interface VideoAttributes extends MediaAttributes, Sized {
  readonly poster?: Url;
  readonly playsinline?: Flag;
  readonly disablepictureinpicture?: Flag;
}

export interface MetaAttributes extends GlobalAttributes {
  readonly charset?: Value<'utf-8' | 'UTF-8' | 'utf8'>;
  readonly name?: Text;
  readonly content?: Text;
  readonly media?: Text;
  readonly 'http-equiv'?: Text;
}

export interface MeterAttributes extends GlobalAttributes {
  readonly value?: Numeric;
  readonly min?: Numeric;
  readonly max?: Numeric;
  readonly low?: Numeric;
  readonly high?: Numeric;
  readonly optimum?: Numeric;
}

export interface ObjectAttributes extends GlobalAttributes, Sized {
  readonly data?: Url;
  readonly type?: Text;
  readonly name?: Text;
  readonly form?: Text;
}

export interface OrderedListAttributes extends GlobalAttributes {
  readonly reversed?: Flag;
  readonly start?: Numeric;
  readonly type?: OneOf<'1' | 'a' | 'A' | 'i' | 'I'>;
}

export interface OptionGroupAttributes extends GlobalAttributes {
  readonly label?: Text;
  readonly disabled?: Flag;
}

export interface OptionAttributes extends OptionGroupAttributes {
  readonly value?: Text;
  readonly selected?: Flag;
}

export interface OutputAttributes extends GlobalAttributes {
  readonly htmlFor?: Text;
  readonly for?: Text;
  readonly form?: Text;
  readonly name?: Text;
}

export interface ProgressAttributes extends GlobalAttributes {
  readonly value?: Numeric;
  readonly max?: Numeric;
}

export interface QuoteAttributes extends GlobalAttributes {
  readonly cite?: Url;
}

export interface ScriptAttributes extends GlobalAttributes {
  readonly src?: Url;
  readonly type?: Text;
  readonly async?: Flag;
  readonly defer?: Flag;
  readonly nomodule?: Flag;
  readonly blocking?: OneOf<'render'>;
  readonly crossorigin?: CrossOrigin;
  readonly fetchpriority?: Priority;
  readonly integrity?: Text;
  readonly referrerpolicy?: ReferrerPolicy;
}

export interface SelectAttributes extends GlobalAttributes, FormOwned {
  readonly autocomplete?: Text;
  readonly multiple?: Flag;
  readonly required?: Flag;
  readonly size?: Numeric;
}

export interface SlotAttributes extends GlobalAttributes {
  readonly name?: Text;
}

export interface SourceAttributes extends GlobalAttributes, Sized {
  readonly src?: Url;
  readonly srcset?: Text;
  readonly sizes?: Text;
  readonly media?: Text;
  readonly type?: Text;
}

export interface StyleAttributes extends GlobalAttributes {
  readonly media?: Text;
  readonly blocking?: OneOf<'render'>;
}

export interface TemplateAttributes extends GlobalAttributes {
  readonly shadowrootmode?: OneOf<'open' | 'closed'>;
  readonly shadowrootdelegatesfocus?: Flag;
  readonly shadowrootclonable?: Flag;
  readonly shadowrootserializable?: Flag;
}

export interface TextareaAttributes extends GlobalAttributes, FormOwned, Typed {
  readonly cols?: Numeric;
  readonly rows?: Numeric;
  readonly wrap?: OneOf<'soft' | 'hard'>;
}

export interface TimeAttributes extends GlobalAttributes {
  readonly datetime?: Text;
}

export interface TrackAttributes extends GlobalAttributes {
  readonly src?: Url;
  readonly kind?: OneOf<'subtitles' | 'captions' | 'descriptions' | 'chapters' | 'metadata'>;
  readonly srclang?: Text;
  readonly label?: Text;
  readonly default?: Flag;
}
