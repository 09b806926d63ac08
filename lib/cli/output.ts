/** Where a command's words go: the result to standard output, everything else to standard error. */

/** The result as one JSON document, and nothing else on standard output. */
export function printJson(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

/** The result for people. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Something a person should know that is not the result: one line on standard error. */
export function note(text: string): void {
  process.stderr.write(`note: ${text.replace(/\s*[\r\n]+\s*/g, ' ').trim()}\n`);
}
