/** Progress on standard error: a moving bar on a terminal, a line now and then in a log. */
import { stripVTControlCharacters } from 'node:util';

const WIDTH = 24;
const LOG_EVERY_MS = 15_000;
const DRAW_EVERY_MS = 100;

/** A number of bytes, for messages. */
export function size(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}

/** Cuts a line that will be redrawn to the width of the terminal; if it wrapped, it could not be wiped. */
export const fitted = (line) => line.slice(0, (process.stderr.columns || 80) - 1);

/** Removes colours from a text in a log and under NO_COLOR. */
export const inColour = (text) => (process.stderr.hasColors?.() ? text : stripVTControlCharacters(text));

/** Prints one line. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * A bar for work of `total` steps; `show` turns a number of steps into words. `end()` replaces the bar by a line that stays,
 * `clear()` removes it after a failure.
 */
export function bar(label, total, show = String) {
  const began = Date.now();
  const terminal = process.stderr.isTTY === true;
  let drawn = terminal ? 0 : began;
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const wipe = () => terminal && process.stderr.write('\r\x1b[K');
  return {
    update(done) {
      if (Date.now() - drawn < (terminal ? DRAW_EVERY_MS : LOG_EVERY_MS)) return;
      drawn = Date.now();
      const part = Math.min(1, done / Math.max(1, total));
      const filled = Math.round(part * WIDTH);
      if (terminal) {
        const drawing = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
        process.stderr.write(
          `\r\x1b[K${fitted(`${label}  ${drawing}  ${show(done)} of ${show(total)}, ${seconds()}`)}`,
        );
      } else say(`${label}: ${Math.round(part * 100)} %, ${seconds()}`);
    },
    clear: wipe,
    end() {
      wipe();
      say(`${label}: ${show(total)} in ${seconds()}`);
    },
  };
}
