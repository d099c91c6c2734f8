type Write = (fields: Record<string, unknown>, message: string) => void;

/** What the rooms need of a logger. pino's logger is one; a test passes its own. */
export interface Logger {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  child(bindings: Record<string, unknown>): Logger;
}
