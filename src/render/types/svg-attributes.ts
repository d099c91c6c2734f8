// Attributes of SVG. Its elements share most of them, so there is one list; a name that another element has is harmless.
import type { GlobalAttributes } from './global-attributes.ts';
import type { OneOf, Text, Url } from './values.ts';

export interface SvgAttributes extends GlobalAttributes {
  readonly href?: Url;
  readonly 'xlink:href'?: Url;
  readonly target?: Text;
  readonly download?: Text;
  readonly rel?: Text;
  readonly amplitude?: Text;
  readonly attributeName?: Text;
  readonly azimuth?: Text;
  readonly baseFrequency?: Text;
  readonly 'baseline-shift'?: Text;
  readonly begin?: Text;
  readonly bias?: Text;
  readonly by?: Text;
  readonly 'clip-path'?: Text;
  readonly color?: Text;
  readonly cursor?: Text;
  readonly cx?: Text;
  readonly cy?: Text;
  readonly d?: Text;
  readonly diffuseConstant?: Text;
  readonly divisor?: Text;
  readonly dur?: Text;
  readonly dx?: Text;
  readonly dy?: Text;
  readonly elevation?: Text;
  readonly end?: Text;
  readonly exponent?: Text;
  readonly fill?: Text;
  readonly 'fill-opacity'?: Text;
  readonly filter?: Text;
  readonly 'flood-color'?: Text;
  readonly 'flood-opacity'?: Text;
  readonly 'font-family'?: Text;
  readonly 'font-size'?: Text;
  readonly 'font-size-adjust'?: Text;
  readonly 'font-stretch'?: Text;
  readonly 'font-style'?: Text;
  readonly 'font-variant'?: Text;
  readonly 'font-weight'?: Text;
  readonly fr?: Text;
  readonly from?: Text;
  readonly fx?: Text;
  readonly fy?: Text;
  readonly 'glyph-orientation-horizontal'?: Text;
  readonly 'glyph-orientation-vertical'?: Text;
  readonly gradientTransform?: Text;
  readonly height?: Text;
  readonly in?: Text;
  readonly in2?: Text;
  readonly intercept?: Text;
  readonly k1?: Text;
  readonly k2?: Text;
  readonly k3?: Text;
  readonly k4?: Text;
  readonly kernelMatrix?: Text;
  readonly kernelUnitLength?: Text;
  readonly keyPoints?: Text;
  readonly keySplines?: Text;
  readonly keyTimes?: Text;
  readonly 'letter-spacing'?: Text;
  readonly 'lighting-color'?: Text;
  readonly limitingConeAngle?: Text;
  readonly 'marker-end'?: Text;
  readonly 'marker-mid'?: Text;
  readonly 'marker-start'?: Text;
  readonly markerHeight?: Text;
  readonly markerWidth?: Text;
  readonly mask?: Text;
  readonly 'mask-type'?: Text;
  readonly max?: Text;
  readonly media?: Text;
  readonly min?: Text;
  readonly mode?: Text;
  readonly numOctaves?: Text;
  readonly offset?: Text;
  readonly opacity?: Text;
  readonly operator?: Text;
  readonly order?: Text;
  readonly pathLength?: Text;
  readonly patternTransform?: Text;
  readonly points?: Text;
  readonly pointsAtX?: Text;
  readonly pointsAtY?: Text;
  readonly pointsAtZ?: Text;
  readonly preserveAspectRatio?: Text;
  readonly r?: Text;
  readonly radius?: Text;
  readonly refX?: Text;
  readonly refY?: Text;
  readonly repeatCount?: Text;
  readonly repeatDur?: Text;
  readonly requiredExtensions?: Text;
  readonly result?: Text;
  readonly rotate?: Text;
  readonly rx?: Text;
  readonly ry?: Text;
  readonly scale?: Text;
  readonly seed?: Text;
  readonly slope?: Text;
  readonly specularConstant?: Text;
  readonly specularExponent?: Text;
  readonly startOffset?: Text;
  readonly stdDeviation?: Text;
  readonly 'stop-color'?: Text;
  readonly 'stop-opacity'?: Text;
  readonly stroke?: Text;
  readonly 'stroke-dasharray'?: Text;
  readonly 'stroke-dashoffset'?: Text;
  readonly 'stroke-miterlimit'?: Text;
  readonly 'stroke-opacity'?: Text;
  readonly 'stroke-width'?: Text;
  readonly surfaceScale?: Text;
  readonly systemLanguage?: Text;
  readonly tableValues?: Text;
  readonly targetX?: Text;
  readonly targetY?: Text;
  readonly 'text-decoration'?: Text;
  readonly textLength?: Text;
  readonly to?: Text;
  readonly transform?: Text;
  readonly 'transform-origin'?: Text;
  readonly type?: Text;
  readonly values?: Text;
  readonly version?: Text;
  readonly viewBox?: Text;
  readonly width?: Text;
  readonly 'word-spacing'?: Text;
  readonly x?: Text;
  readonly x1?: Text;
  readonly x2?: Text;
  readonly 'xml:lang'?: Text;
  readonly 'xml:space'?: Text;
  readonly xmlns?: Text;
  readonly 'xmlns:xlink'?: Text;
  readonly y?: Text;
  readonly y1?: Text;
  readonly y2?: Text;
  readonly z?: Text;
  readonly clipPathUnits?: OneOf<'userSpaceOnUse' | 'objectBoundingBox'>;
  readonly gradientUnits?: OneOf<'userSpaceOnUse' | 'objectBoundingBox'>;
  readonly maskUnits?: OneOf<'userSpaceOnUse' | 'objectBoundingBox'>;
  readonly maskContentUnits?: OneOf<'userSpaceOnUse' | 'objectBoundingBox'>;
  readonly patternUnits?: OneOf<'userSpaceOnUse' | 'objectBoundingBox'>;
  readonly patternContentUnits?: OneOf<'userSpaceOnUse' | 'objectBoundingBox'>;
  readonly filterUnits?: OneOf<'userSpaceOnUse' | 'objectBoundingBox'>;
  readonly primitiveUnits?: OneOf<'userSpaceOnUse' | 'objectBoundingBox'>;
  readonly markerUnits?: OneOf<'userSpaceOnUse' | 'strokeWidth'>;
  readonly spreadMethod?: OneOf<'pad' | 'reflect' | 'repeat'>;
  readonly lengthAdjust?: OneOf<'spacing' | 'spacingAndGlyphs'>;
  readonly method?: OneOf<'align' | 'stretch'>;
  readonly spacing?: OneOf<'auto' | 'exact'>;
  readonly side?: OneOf<'left' | 'right'>;
  readonly edgeMode?: OneOf<'duplicate' | 'wrap' | 'none'>;
  readonly stitchTiles?: OneOf<'noStitch' | 'stitch'>;
  readonly xChannelSelector?: OneOf<'R' | 'G' | 'B' | 'A'>;
  readonly yChannelSelector?: OneOf<'R' | 'G' | 'B' | 'A'>;
  readonly preserveAlpha?: OneOf<'true' | 'false'>;
  readonly accumulate?: OneOf<'none' | 'sum'>;
  readonly additive?: OneOf<'replace' | 'sum'>;
  readonly attributeType?: OneOf<'CSS' | 'XML' | 'auto'>;
  readonly calcMode?: OneOf<'discrete' | 'linear' | 'paced' | 'spline'>;
  readonly restart?: OneOf<'always' | 'whenNotActive' | 'never'>;
  readonly 'clip-rule'?: OneOf<'nonzero' | 'evenodd' | 'inherit'>;
  readonly 'fill-rule'?: OneOf<'nonzero' | 'evenodd' | 'inherit'>;
  readonly 'color-interpolation'?: OneOf<'auto' | 'sRGB' | 'linearRGB' | 'inherit'>;
  readonly 'color-interpolation-filters'?: OneOf<'auto' | 'sRGB' | 'linearRGB' | 'inherit'>;
  readonly direction?: OneOf<'ltr' | 'rtl' | 'inherit'>;
  readonly display?: Text;
  readonly overflow?: OneOf<'visible' | 'hidden' | 'scroll' | 'auto' | 'inherit'>;
  readonly 'pointer-events'?: OneOf<
    | 'bounding-box'
    | 'visiblePainted'
    | 'visibleFill'
    | 'visibleStroke'
    | 'visible'
    | 'painted'
    | 'fill'
    | 'stroke'
    | 'all'
    | 'none'
    | 'inherit'
  >;
  readonly 'dominant-baseline'?: OneOf<
    | 'auto'
    | 'text-bottom'
    | 'alphabetic'
    | 'ideographic'
    | 'middle'
    | 'central'
    | 'mathematical'
    | 'hanging'
    | 'text-top'
    | 'inherit'
  >;
  readonly 'alignment-baseline'?: OneOf<
    | 'auto'
    | 'baseline'
    | 'before-edge'
    | 'text-before-edge'
    | 'middle'
    | 'central'
    | 'after-edge'
    | 'text-after-edge'
    | 'ideographic'
    | 'alphabetic'
    | 'hanging'
    | 'mathematical'
    | 'inherit'
  >;
  readonly 'image-rendering'?: OneOf<'auto' | 'optimizeSpeed' | 'optimizeQuality' | 'inherit'>;
  readonly 'shape-rendering'?: OneOf<
    'auto' | 'optimizeSpeed' | 'crispEdges' | 'geometricPrecision' | 'inherit'
  >;
  readonly 'text-rendering'?: OneOf<
    'auto' | 'optimizeSpeed' | 'optimizeLegibility' | 'geometricPrecision' | 'inherit'
  >;
  readonly 'stroke-linecap'?: OneOf<'butt' | 'round' | 'square' | 'inherit'>;
  readonly 'stroke-linejoin'?: OneOf<'arcs' | 'bevel' | 'miter' | 'miter-clip' | 'round' | 'inherit'>;
  readonly 'text-anchor'?: OneOf<'start' | 'middle' | 'end' | 'inherit'>;
  readonly 'unicode-bidi'?: Text;
  readonly 'vector-effect'?: OneOf<
    'none' | 'non-scaling-stroke' | 'non-scaling-size' | 'non-rotation' | 'fixed-position'
  >;
  readonly visibility?: OneOf<'visible' | 'hidden' | 'collapse' | 'inherit'>;
  readonly 'writing-mode'?: Text;
  readonly 'paint-order'?: Text;
  readonly crossorigin?: OneOf<'' | 'anonymous' | 'use-credentials'>;
}
