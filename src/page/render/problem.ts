// Problem details (RFC 9457): what a program is told of a failure.
import { STATUS_CODES } from 'node:http';
import type { Issue } from '../endpoint/body.ts';

export interface Problem {
  readonly status: number;
  /** What stands in the log beside everything else. */
  readonly id?: string | undefined;
  readonly detail?: string | undefined;
  /** What a schema says, by the path of the value. */
  readonly issues?: readonly Issue[];
}

export function problem({ status, id, detail, issues = [] }: Problem): object {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...(detail !== undefined && { detail }),
    ...(id !== undefined && { id }),
    ...(issues.length > 0 && { errors: issues }),
  };
}
