import { CoherentError } from '../core/errors.ts';

/** What the author's commands stand on is not installed. */
export class ToolMissingError extends CoherentError {
  readonly code = 'E_TOOL_MISSING';
}

/** The development server does not run where visitors are served. */
export class NotForProductionError extends CoherentError {
  readonly code = 'E_NOT_FOR_PRODUCTION';
}

/** The folder that a command was given is not one it can work on. */
export class FolderError extends CoherentError {
  readonly code = 'E_FOLDER';
}
