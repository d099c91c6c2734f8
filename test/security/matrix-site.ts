// What the rows of the matrix share.

/** What the attacker would like to see in an answer that others get. */
export const MARK = 'evil.example';
/** One of the hosts that the attacked server answers for. */
export const HOST = 'site.test';

/** The page under attack. */
export interface Target {
  /** `/echo/1017`: shows everything that a page can see. */
  readonly path: string;
  /** `1017` */
  readonly id: string;
}
