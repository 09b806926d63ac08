/** What a command prints: the result to standard output, everything else to standard error. */

/** The result as one JSON document, and nothing else on standard output. */
export function printJson(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

/** The result for people. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Information for the user that is not part of the result: one line on standard error. */
export function note(text: string): void {
  process.stderr.write(noteLine(text));
}

const later: string[] = [];

/**
 * Keeps a note until the command has done its work: a command that refuses its input prints the reason and nothing else.
 */
export function noteLater(text: string): void {
  later.push(noteLine(text));
}

/** Prints the notes that {@link noteLater} has kept. */
export function printNotes(): void {
  process.stderr.write(later.splice(0).join(''));
}

function noteLine(text: string): string {
  return `note: ${text.replace(/\s*[\r\n]+\s*/g, ' ').trim()}\n`;
}
