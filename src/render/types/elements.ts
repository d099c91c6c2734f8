// Every element that is known, with what its attributes take.
import type { CustomElements } from './custom-elements.ts';
import type { GlobalAttributes } from './global-attributes.ts';
import type * as Of from './html-attributes.ts';
import type { SvgAttributes } from './svg-attributes.ts';

/** The elements of HTML. */
export interface HtmlElements {
  readonly a: Of.AnchorAttributes;
  readonly abbr: GlobalAttributes;
  readonly address: GlobalAttributes;
  readonly area: Of.AreaAttributes;
  readonly article: GlobalAttributes;
  readonly aside: GlobalAttributes;
  readonly audio: Of.AudioAttributes;
  readonly b: GlobalAttributes;
  readonly base: Of.BaseAttributes;
  readonly bdi: GlobalAttributes;
  readonly bdo: GlobalAttributes;
  readonly blockquote: Of.QuoteAttributes;
  readonly body: GlobalAttributes;
  readonly br: GlobalAttributes;
  readonly button: Of.ButtonAttributes;
  readonly canvas: Of.CanvasAttributes;
  readonly caption: GlobalAttributes;
  readonly cite: GlobalAttributes;
  readonly code: GlobalAttributes;
  readonly col: Of.ColumnAttributes;
  readonly colgroup: Of.ColumnAttributes;
  readonly data: Of.DataAttributes;
  readonly datalist: GlobalAttributes;
  readonly dd: GlobalAttributes;
  readonly del: Of.EditAttributes;
  readonly details: Of.DetailsAttributes;
  readonly dfn: GlobalAttributes;
  readonly dialog: Of.DialogAttributes;
  readonly div: GlobalAttributes;
  readonly dl: GlobalAttributes;
  readonly dt: GlobalAttributes;
  readonly em: GlobalAttributes;
  readonly embed: Of.EmbedAttributes;
  readonly fieldset: Of.FieldsetAttributes;
  readonly figcaption: GlobalAttributes;
  readonly figure: GlobalAttributes;
  readonly footer: GlobalAttributes;
  readonly form: Of.FormAttributes;
  readonly h1: GlobalAttributes;
  readonly h2: GlobalAttributes;
  readonly h3: GlobalAttributes;
  readonly h4: GlobalAttributes;
  readonly h5: GlobalAttributes;
  readonly h6: GlobalAttributes;
  readonly head: GlobalAttributes;
  readonly header: GlobalAttributes;
  readonly hgroup: GlobalAttributes;
  readonly hr: GlobalAttributes;
  readonly html: Of.HtmlAttributes;
  readonly i: GlobalAttributes;
  readonly iframe: Of.IframeAttributes;
  readonly img: Of.ImageAttributes;
  readonly input: Of.InputAttributes;
  readonly ins: Of.EditAttributes;
  readonly kbd: GlobalAttributes;
  readonly label: Of.LabelAttributes;
  readonly legend: GlobalAttributes;
  readonly li: Of.ListItemAttributes;
  readonly link: Of.LinkAttributes;
  readonly main: GlobalAttributes;
  readonly map: Of.MapAttributes;
  readonly mark: GlobalAttributes;
  readonly menu: GlobalAttributes;
  readonly meta: Of.MetaAttributes;
  readonly meter: Of.MeterAttributes;
  readonly nav: GlobalAttributes;
  readonly noscript: GlobalAttributes;
  readonly object: Of.ObjectAttributes;
  readonly ol: Of.OrderedListAttributes;
  readonly optgroup: Of.OptionGroupAttributes;
  readonly option: Of.OptionAttributes;
  readonly output: Of.OutputAttributes;
  readonly p: GlobalAttributes;
  readonly picture: GlobalAttributes;
  readonly pre: GlobalAttributes;
  readonly progress: Of.ProgressAttributes;
  readonly q: Of.QuoteAttributes;
  readonly rp: GlobalAttributes;
  readonly rt: GlobalAttributes;
  readonly ruby: GlobalAttributes;
  readonly s: GlobalAttributes;
  readonly samp: GlobalAttributes;
  readonly script: Of.ScriptAttributes;
  readonly search: GlobalAttributes;
  readonly section: GlobalAttributes;
  readonly select: Of.SelectAttributes;
  readonly slot: Of.SlotAttributes;
  readonly small: GlobalAttributes;
  readonly source: Of.SourceAttributes;
  readonly span: GlobalAttributes;
  readonly strong: GlobalAttributes;
  readonly style: Of.StyleAttributes;
  readonly sub: GlobalAttributes;
  readonly summary: GlobalAttributes;
  readonly sup: GlobalAttributes;
  readonly table: GlobalAttributes;
  readonly tbody: GlobalAttributes;
  readonly td: Of.CellAttributes;
  readonly template: Of.TemplateAttributes;
  readonly textarea: Of.TextareaAttributes;
  readonly tfoot: GlobalAttributes;
  readonly th: Of.HeaderCellAttributes;
  readonly thead: GlobalAttributes;
  readonly time: Of.TimeAttributes;
  readonly title: GlobalAttributes;
  readonly tr: GlobalAttributes;
  readonly track: Of.TrackAttributes;
  readonly u: GlobalAttributes;
  readonly ul: GlobalAttributes;
  readonly var: GlobalAttributes;
  readonly video: Of.VideoAttributes;
  readonly wbr: GlobalAttributes;
}

/** The elements of SVG that HTML does not have. */
export interface SvgElements {
  readonly animate: SvgAttributes;
  readonly animateMotion: SvgAttributes;
  readonly animateTransform: SvgAttributes;
  readonly circle: SvgAttributes;
  readonly clipPath: SvgAttributes;
  readonly defs: SvgAttributes;
  readonly desc: SvgAttributes;
  readonly ellipse: SvgAttributes;
  readonly feBlend: SvgAttributes;
  readonly feColorMatrix: SvgAttributes;
  readonly feComponentTransfer: SvgAttributes;
  readonly feComposite: SvgAttributes;
  readonly feConvolveMatrix: SvgAttributes;
  readonly feDiffuseLighting: SvgAttributes;
  readonly feDisplacementMap: SvgAttributes;
  readonly feDistantLight: SvgAttributes;
  readonly feDropShadow: SvgAttributes;
  readonly feFlood: SvgAttributes;
  readonly feFuncA: SvgAttributes;
  readonly feFuncB: SvgAttributes;
  readonly feFuncG: SvgAttributes;
  readonly feFuncR: SvgAttributes;
  readonly feGaussianBlur: SvgAttributes;
  readonly feImage: SvgAttributes;
  readonly feMerge: SvgAttributes;
  readonly feMergeNode: SvgAttributes;
  readonly feMorphology: SvgAttributes;
  readonly feOffset: SvgAttributes;
  readonly fePointLight: SvgAttributes;
  readonly feSpecularLighting: SvgAttributes;
  readonly feSpotLight: SvgAttributes;
  readonly feTile: SvgAttributes;
  readonly feTurbulence: SvgAttributes;
  readonly filter: SvgAttributes;
  readonly foreignObject: SvgAttributes;
  readonly g: SvgAttributes;
  readonly image: SvgAttributes;
  readonly line: SvgAttributes;
  readonly linearGradient: SvgAttributes;
  readonly marker: SvgAttributes;
  readonly mask: SvgAttributes;
  readonly metadata: SvgAttributes;
  readonly mpath: SvgAttributes;
  readonly path: SvgAttributes;
  readonly pattern: SvgAttributes;
  readonly polygon: SvgAttributes;
  readonly polyline: SvgAttributes;
  readonly radialGradient: SvgAttributes;
  readonly rect: SvgAttributes;
  readonly set: SvgAttributes;
  readonly stop: SvgAttributes;
  readonly svg: SvgAttributes;
  readonly switch: SvgAttributes;
  readonly symbol: SvgAttributes;
  readonly text: SvgAttributes;
  readonly textPath: SvgAttributes;
  readonly tspan: SvgAttributes;
  readonly use: SvgAttributes;
  readonly view: SvgAttributes;
}

/** All of them. */
export interface Elements extends HtmlElements, SvgElements, CustomElements {}

/** They have no content. */
export type VoidTag =
  | 'area'
  | 'base'
  | 'br'
  | 'col'
  | 'embed'
  | 'hr'
  | 'img'
  | 'input'
  | 'link'
  | 'meta'
  | 'source'
  | 'track'
  | 'wbr';
