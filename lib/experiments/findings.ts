/** What the results of a notebook say. */
export interface Findings {
  /** The one sentence to remember. */
  readonly headline: string;
  /** All sentences as a Markdown list. */
  readonly all: string;
}

/** Lists the sentences; empty ones are left out. */
export function findings(headline: string, sentences: readonly string[]): Findings {
  const list = sentences.map((sentence) => sentence.trim()).filter((sentence) => sentence !== '');
  return { headline: headline.trim(), all: list.map((sentence) => `- ${sentence}`).join('\n') };
}
