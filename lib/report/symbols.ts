/**
 * The symbols of the field in sentences. Authors write them plainly (`σ_min/σ_max`, `d_h`, `k = n`), so that terminals and
 * programs can show them as they are; pages and figures get them set.
 */

/** A symbol with an index; the letters that stand alone: k, n, d, H, T, Z, and H d together. */
const SYMBOL = /(?<![\p{L}\p{N}_'’$\\.-])(?:(σ)_(\w+)|([dWE])_([hqkv])|(Hd|Hn|[kndHTZ]))(?![\p{L}\p{N}_'’]|\.\p{L})/gu;

/** For text between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => names[character]);
}

/** Text as HTML, which plotly's own small subset understands too. */
export function inHtml(text: string): string {
  return escapeHtml(text)
    .replaceAll('&#39;', '’')
    .replace(SYMBOL, (_, sigma, which, letter, index, alone) => {
      if (sigma) return `σ<sub>${which}</sub>`;
      return letter ? `<i>${letter}<sub>${index}</sub></i>` : `<i>${alone}</i>`;
    });
}

/** Markdown in which the symbols are formulas; code, formulas, links and tags are left as they are. */
export function inMarkdown(markdown: string): string {
  return markdown.replace(/(`[^`]*`|\$\$[\s\S]*?\$\$|\$[^$]*\$|\]\([^)]*\)|<[^>]*>)|[^`$\]<]+|[\s\S]/g, (text, kept) =>
    kept === undefined ? text.replace(SYMBOL, (found: string) => `$${tex(found)}$`) : text,
  );
}

function tex(symbol: string): string {
  return symbol.replace(/^σ_(min|max)$/, '\\sigma_{\\$1}').replace(/^σ_/, '\\sigma_');
}

/** Lines of at most so many characters, tags not counted; breaks only at blanks. */
export function wrapped(html: string, width: number): string[] {
  const lines = [''];
  for (const word of html.split(' ')) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (lines[lines.length - 1] !== '' && visible(longer) > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function visible(html: string): number {
  return [...html.replace(/<[^>]*>/g, '').replace(/&#?\w+;/g, ' ')].length;
}
