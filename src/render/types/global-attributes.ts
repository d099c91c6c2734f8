// Attributes of every element of HTML and SVG, by the names that HTML has for them.
import type {
  ClassList,
  Flag,
  Handler,
  Numeric,
  OneOf,
  Style,
  Text,
  TrueOrFalse,
  Url,
  Value,
  Word,
} from './values.ts';

export interface GlobalAttributes extends AriaAttributes {
  /** `class`. */
  readonly className?: ClassList;
  readonly class?: ClassList;
  readonly style?: Value<string | Style>;
  readonly id?: Text;
  readonly lang?: Text;
  readonly dir?: OneOf<'ltr' | 'rtl' | 'auto'>;
  readonly title?: Text;
  readonly tabindex?: Numeric;
  readonly hidden?: Value<boolean | 'until-found' | ''>;
  readonly inert?: Flag;
  readonly accesskey?: Text;
  readonly autocapitalize?: OneOf<'off' | 'none' | 'on' | 'sentences' | 'words' | 'characters'>;
  readonly autocorrect?: OneOf<'on' | 'off'>;
  readonly autofocus?: Flag;
  readonly contenteditable?: Value<boolean | 'true' | 'false' | 'plaintext-only' | ''>;
  readonly draggable?: TrueOrFalse;
  readonly enterkeyhint?: OneOf<'enter' | 'done' | 'go' | 'next' | 'previous' | 'search' | 'send'>;
  readonly exportparts?: Text;
  readonly inputmode?: OneOf<'none' | 'text' | 'tel' | 'url' | 'email' | 'numeric' | 'decimal' | 'search'>;
  readonly is?: Text;
  readonly itemid?: Text;
  readonly itemprop?: Text;
  readonly itemref?: Text;
  readonly itemscope?: Flag;
  readonly itemtype?: Text;
  readonly nonce?: Text;
  readonly part?: Text;
  readonly popover?: Value<boolean | 'auto' | 'hint' | 'manual' | ''>;
  readonly role?: Word<Role>;
  readonly slot?: Text;
  readonly spellcheck?: TrueOrFalse;
  readonly translate?: OneOf<'yes' | 'no'>;
  readonly writingsuggestions?: TrueOrFalse;
  /** RDFa, as Open Graph uses it. */
  readonly property?: Text;
  readonly typeof?: Text;
  readonly vocab?: Url;
  readonly [data: `data-${string}`]: Value<string | number | boolean>;
  readonly [handler: `on${Lowercase<string>}`]: Handler;
}

type Role =
  | 'alert'
  | 'alertdialog'
  | 'application'
  | 'article'
  | 'banner'
  | 'button'
  | 'cell'
  | 'checkbox'
  | 'columnheader'
  | 'combobox'
  | 'complementary'
  | 'contentinfo'
  | 'definition'
  | 'dialog'
  | 'document'
  | 'feed'
  | 'figure'
  | 'form'
  | 'grid'
  | 'gridcell'
  | 'group'
  | 'heading'
  | 'img'
  | 'link'
  | 'list'
  | 'listbox'
  | 'listitem'
  | 'log'
  | 'main'
  | 'marquee'
  | 'math'
  | 'menu'
  | 'menubar'
  | 'menuitem'
  | 'menuitemcheckbox'
  | 'menuitemradio'
  | 'meter'
  | 'navigation'
  | 'none'
  | 'note'
  | 'option'
  | 'presentation'
  | 'progressbar'
  | 'radio'
  | 'radiogroup'
  | 'region'
  | 'row'
  | 'rowgroup'
  | 'rowheader'
  | 'scrollbar'
  | 'search'
  | 'searchbox'
  | 'separator'
  | 'slider'
  | 'spinbutton'
  | 'status'
  | 'switch'
  | 'tab'
  | 'table'
  | 'tablist'
  | 'tabpanel'
  | 'term'
  | 'textbox'
  | 'timer'
  | 'toolbar'
  | 'tooltip'
  | 'tree'
  | 'treegrid'
  | 'treeitem';

/** WAI-ARIA 1.2. States are the words "true" and "false"; a state that is left out is not the same as "false". */
export interface AriaAttributes {
  readonly 'aria-activedescendant'?: Text;
  readonly 'aria-atomic'?: TrueOrFalse;
  readonly 'aria-autocomplete'?: OneOf<'none' | 'inline' | 'list' | 'both'>;
  readonly 'aria-braillelabel'?: Text;
  readonly 'aria-brailleroledescription'?: Text;
  readonly 'aria-busy'?: TrueOrFalse;
  readonly 'aria-checked'?: OneOf<'true' | 'false' | 'mixed'>;
  readonly 'aria-colcount'?: Numeric;
  readonly 'aria-colindex'?: Numeric;
  readonly 'aria-colindextext'?: Text;
  readonly 'aria-colspan'?: Numeric;
  readonly 'aria-controls'?: Text;
  readonly 'aria-current'?: OneOf<'page' | 'step' | 'location' | 'date' | 'time' | 'true' | 'false'>;
  readonly 'aria-describedby'?: Text;
  readonly 'aria-description'?: Text;
  readonly 'aria-details'?: Text;
  readonly 'aria-disabled'?: TrueOrFalse;
  readonly 'aria-errormessage'?: Text;
  readonly 'aria-expanded'?: TrueOrFalse;
  readonly 'aria-flowto'?: Text;
  readonly 'aria-haspopup'?: OneOf<'true' | 'false' | 'menu' | 'listbox' | 'tree' | 'grid' | 'dialog'>;
  readonly 'aria-hidden'?: TrueOrFalse;
  readonly 'aria-invalid'?: OneOf<'true' | 'false' | 'grammar' | 'spelling'>;
  readonly 'aria-keyshortcuts'?: Text;
  readonly 'aria-label'?: Text;
  readonly 'aria-labelledby'?: Text;
  readonly 'aria-level'?: Numeric;
  readonly 'aria-live'?: OneOf<'off' | 'polite' | 'assertive'>;
  readonly 'aria-modal'?: TrueOrFalse;
  readonly 'aria-multiline'?: TrueOrFalse;
  readonly 'aria-multiselectable'?: TrueOrFalse;
  readonly 'aria-orientation'?: OneOf<'horizontal' | 'vertical' | 'undefined'>;
  readonly 'aria-owns'?: Text;
  readonly 'aria-placeholder'?: Text;
  readonly 'aria-posinset'?: Numeric;
  readonly 'aria-pressed'?: OneOf<'true' | 'false' | 'mixed'>;
  readonly 'aria-readonly'?: TrueOrFalse;
  readonly 'aria-relevant'?: Text;
  readonly 'aria-required'?: TrueOrFalse;
  readonly 'aria-roledescription'?: Text;
  readonly 'aria-rowcount'?: Numeric;
  readonly 'aria-rowindex'?: Numeric;
  readonly 'aria-rowindextext'?: Text;
  readonly 'aria-rowspan'?: Numeric;
  readonly 'aria-selected'?: TrueOrFalse;
  readonly 'aria-setsize'?: Numeric;
  readonly 'aria-sort'?: OneOf<'ascending' | 'descending' | 'none' | 'other'>;
  readonly 'aria-valuemax'?: Numeric;
  readonly 'aria-valuemin'?: Numeric;
  readonly 'aria-valuenow'?: Numeric;
  readonly 'aria-valuetext'?: Text;
}
