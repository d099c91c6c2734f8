import { CoherentError } from '../src/core/errors.ts';

/** One wrong setting: what it is called, what was given, what would be right. */
export interface Mistake {
  readonly name: string;
  /** As given, masked when it is a secret. Undefined when nothing was given and something must be. */
  readonly value: string | undefined;
  readonly allowed: string;
}

/** The settings cannot be used. Holds every mistake at once, so that one start shows them all. */
export class ConfigError extends CoherentError {
  readonly code = 'E_CONFIG';
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(
      `${mistakes.length === 1 ? 'One setting is' : `${mistakes.length} settings are`} wrong:\n${list(mistakes)}`,
    );
    this.mistakes = mistakes;
  }
}

function list(mistakes: readonly Mistake[]): string {
  return mistakes
    .map(({ name, value, allowed }) => `  ${name}${value === undefined ? '' : `=${value}`}: ${allowed}`)
    .join('\n');
}
