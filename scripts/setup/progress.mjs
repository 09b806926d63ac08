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

/** The bars of the work that is under way, side by side; a terminal shows them in one line. */
const bars = new Set();
let drawnAt = 0;

const onTerminal = () => process.stderr.isTTY === true;
const wipe = () => onTerminal() && process.stderr.write('\r\x1b[K');

/** Prints one line that stays. */
export function say(line) {
  if (bars.size > 0) wipe();
  process.stderr.write(`${line}\n`);
}

function draw() {
  if (Date.now() - drawnAt < DRAW_EVERY_MS) return;
  drawnAt = Date.now();
  const [first, ...others] = bars;
  const line = others.length === 0 ? first.long() : [...bars].map((one) => one.short()).join(', ');
  process.stderr.write(`\r\x1b[K${fitted(line)}`);
}

/**
 * A bar for work of `total` steps; `show` turns a number of steps into words. `end()` replaces the bar by a line that stays,
 * `clear()` removes it after a failure.
 */
export function bar(label, total, show = String) {
  const began = Date.now();
  let done = 0;
  let told = began;
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const share = () => Math.min(1, done / Math.max(1, total));
  const drawing = {
    short: () => `${label}: ${Math.round(share() * 100)} %`,
    long() {
      const filled = Math.round(share() * WIDTH);
      const blocks = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
      return `${label}  ${blocks}  ${show(done)} of ${show(total)}, ${seconds()}`;
    },
  };
  const clear = () => {
    bars.delete(drawing);
    wipe();
  };
  return {
    update(steps) {
      done = steps;
      bars.add(drawing);
      if (onTerminal()) draw();
      else if (Date.now() - told >= LOG_EVERY_MS) {
        told = Date.now();
        say(`${drawing.short()}, ${seconds()}`);
      }
    },
    clear,
    end() {
      clear();
      say(`${label}: ${show(total)} in ${seconds()}`);
    },
  };
}
