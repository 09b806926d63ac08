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
  process.stderr.write(noteLine(text));
}

const later: string[] = [];

/**
 * The same while the input may still be refused: written when the command has done its work, because a command that
 * refuses its input says why and nothing else.
 */
export function noteLater(text: string): void {
  later.push(noteLine(text));
}

/** Writes what {@link noteLater} has kept. */
export function printNotes(): void {
  process.stderr.write(later.splice(0).join(''));
}

function noteLine(text: string): string {
  return `note: ${text.replace(/\s*[\r\n]+\s*/g, ' ').trim()}\n`;
}
