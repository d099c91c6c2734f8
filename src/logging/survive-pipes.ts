// What is written to standard output and error is for a reader. When there is none any more (`| head -1`, a terminal
// that was closed, a full disk), Node reports it as an error of the stream, which ends the process unless it is heard.

/** From now on no write to the standard streams can end this process. */
export function survivePipes(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
