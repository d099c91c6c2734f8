// Pages in the place of those that failed, as a development server shows them: ours for what is broken, the application's
// own for what a visitor did wrong.
import type { Header } from '../../cache/entry.ts';
import type { RenderFailure } from '../../page/render/failure-page.ts';
import { ERROR_PAGE_POLICY, failedPage } from './error-page.ts';
import { type Failure, failureOf } from './failure.ts';

export interface FailuresOptions {
  readonly project: string;
  readonly fileOf: (template: string) => string | undefined;
  /** For the terminal. */
  readonly onFailure: (route: string | undefined, failure: Failure) => void;
}

export function failuresOf({ project, fileOf, onFailure }: FailuresOptions) {
  return (own: RenderFailure): RenderFailure =>
    async (props, headers) => {
      const { error, status, route } = props;
      if (status < 500 || error === undefined) return own(props, headers);
      const pageFile = route === undefined ? undefined : fileOf(route);
      const failure = failureOf(error, { project, pageFile });
      onFailure(route, failure);
      const html = Buffer.from(await failedPage({ status, route, pageFile, failure }), 'utf8');
      const policy: Header = ['content-security-policy', ERROR_PAGE_POLICY];
      return { status, html, headers: [...headers, policy] };
    };
}
