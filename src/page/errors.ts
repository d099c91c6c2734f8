import { CoherentError } from '../core/errors.ts';

/** The application's folder is not as the server expects it. Found at start, before a request is taken. */
export class ApplicationError extends CoherentError {
  readonly code = 'E_APPLICATION';
}

/** A page asked for a redirect to something that is neither a path of this site nor an http(s) address. */
export class RedirectError extends CoherentError {
  readonly code = 'E_REDIRECT';
}

/** `asset()` was asked for a file that is not in the application's public/. */
export class AssetError extends CoherentError {
  readonly code = 'E_ASSET';
}

/** A fragment was declared or used in a way that has no answer: twice under one name, or inside itself. */
export class FragmentError extends CoherentError {
  readonly code = 'E_FRAGMENT';
}

/** A variant was declared in a way that has no answer. Found when its module is loaded. */
export class VariantError extends CoherentError {
  readonly code = 'E_VARIANT';
}

/** A guard threw, took too long, or answered what is no answer. The request is refused. */
export class GuardError extends CoherentError {
  readonly code = 'E_GUARD';

  constructor(route: string, cause: unknown) {
    super(
      `A guard of ${route} gave no answer, so the page was not shown. A guard answers nothing, redirect(), forbidden() or notFound().`,
      { cause },
    );
  }
}

/** A page or resource gave its answer a status or a header that it cannot have. */
export class AnswerError extends CoherentError {
  readonly code = 'E_ANSWER';

  constructor(template: string, why: string) {
    super(`${template}: ${why}.`);
  }
}

/** A resource's `body` answered what its `type` cannot be made of. */
export class ResourceError extends CoherentError {
  readonly code = 'E_RESOURCE';

  constructor(template: string, why: string) {
    super(
      `resource ${template}: ${why}. JSON takes plain values, markup takes nodes (xml\`...\`), other types text or bytes.`,
    );
  }
}

/** A hole was declared, used or filled in a way that has no answer. */
export class HoleError extends CoherentError {
  readonly code = 'E_HOLE';
}
