import type { Node } from 'coherent-render-server';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** An absolute date in UTC: the same words whenever and wherever the page is rendered. */
export function day(moment: Date): Node {
  const words = `${moment.getUTCDate()} ${MONTHS[moment.getUTCMonth()]} ${moment.getUTCFullYear()}`;
  return <time datetime={moment.toISOString()}>{words}</time>;
}
