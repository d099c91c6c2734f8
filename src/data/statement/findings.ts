// What comes up while a statement is walked; shared by its blocks, the views and the functions below it.
import type { DependencyKey } from '../../core/units.ts';
import { Account } from './account.ts';
import type { Scan } from './scope.ts';
import type { Tree } from './tree.ts';

/** A statement with more readings than these is not worth its keys. */
export const maxScans = 200;

export class Findings {
  readonly scans: Scan[] = [];
  readonly definitions = new Set<DependencyKey>();
  readonly untracked = new Set<string>();
  /** Functions that were walked, each with the session that it runs in. */
  readonly following = new Set<string>();
  readonly account: Account;
  /** An aggregate inside a subquery belongs to an outer block: nothing may be taken for "only shown". */
  outerAggregate = false;

  constructor(account = new Account()) {
    this.account = account;
  }

  /** Findings of something that is looked at but may never run. */
  aside(): Findings {
    const other = new Findings(this.account);
    for (const one of this.following) other.following.add(one);
    return other;
  }

  /** Of a query that has been walked. */
  close(query: Tree): void {
    for (const what of this.account.missing(query))
      this.untracked.add(`where ${what} stands is not understood`);
  }

  absorb(other: Findings): void {
    for (const key of other.definitions) this.definitions.add(key);
    for (const why of other.untracked) this.untracked.add(why);
    if (other.outerAggregate) this.outerAggregate = true;
  }
}

/** Thrown where a statement may not be run by a page at all. */
export class Refusal {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}
