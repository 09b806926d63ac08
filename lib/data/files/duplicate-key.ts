/**
 * The first key that occurs twice in one object of a JSON text, or null. `JSON.parse` silently keeps the last value; a
 * reader that keeps the first would see a different file.
 *
 * @param json valid JSON: `JSON.parse` has accepted it
 */
export function duplicateKey(json: string): string | null {
  const open: (Set<string> | null)[] = []; // the keys seen in each open object; null for an array
  let candidate = ''; // the latest string: a key if a colon follows
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case '"': {
        const end = endOfString(json, i);
        candidate = json.slice(i, end);
        i = end - 1;
        break;
      }
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(null);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ':': {
        const key = JSON.parse(candidate) as string;
        const keys = open[open.length - 1]!;
        if (keys.has(key)) return key;
        keys.add(key);
        break;
      }
    }
  }
  return null;
}

/** Position after the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i + 1;
}
