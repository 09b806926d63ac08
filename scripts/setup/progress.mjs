/** Progress on standard error: a moving bar on a terminal, a line now and then in a log. */

const WIDTH = 24;
const LOG_EVERY_MS = 15_000;
const DRAW_EVERY_MS = 100;

/** A number of bytes, for messages. */
export function size(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}

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
        process.stderr.write(`\r\x1b[K${label}  ${drawing}  ${show(done)} of ${show(total)}, ${seconds()}`);
      } else say(`${label}: ${Math.round(part * 100)} %, ${seconds()}`);
    },
    clear: wipe,
    end() {
      wipe();
      say(`${label}: ${show(total)} in ${seconds()}`);
    },
  };
}
