/** Shows the progress of long work (`lib/work.ts`) on the screen that is there: a notebook's page, a terminal, or none. */
import { randomUUID } from 'node:crypto';
import { MultiBar } from 'cli-progress';
import { type Watcher, watchWith } from '../work';
import { duration, formatNumber } from './format';
import { escapeHtml } from './html';
import { type MimeBundle, pageOfCell } from './notebook';
import { mimeTypes } from './show';

/** Work that ends sooner than this is not worth a bar. */
const WORTH_SHOWING_MS = 400;
const BETWEEN_UPDATES_MS = 250;
const BETWEEN_LINES_MS = 60_000;

/** Shows work from now on: in the page when a notebook runs, in the terminal if there is one, else in a log. */
export function showProgress(): void {
  if (pageOfCell()) watchWith(pageWatcher());
  else watchWith(process.stderr.isTTY ? terminalWatcher() : logWatcher());
}

interface Piece {
  readonly label: string;
  readonly total: number;
  readonly since: number;
  done: number;
}

/**
 * All work under way in one output of the running cell, changed in place. When nothing runs any more the output is
 * empty; scripts/notebooks/notebooks.py removes it from the executed notebook.
 */
export function pageWatcher(now: () => number = () => performance.now()): Watcher {
  const running = new Set<Piece>();
  let shownIn: unknown;
  let id = '';
  let lastUpdate = -Infinity;

  const draw = () => {
    const page = pageOfCell();
    if (!page) return;
    lastUpdate = now();
    const sameCell = page.cell === shownIn;
    if (!sameCell) {
      if (running.size === 0) return;
      [shownIn, id] = [page.cell, randomUUID()];
    }
    page.send(progressBundle([...running], now()), id, sameCell);
  };

  return {
    begin(label, total) {
      const piece: Piece = { label, total, since: now(), done: 0 };
      running.add(piece);
      let shown = false;
      return {
        update(done) {
          piece.done = done;
          const worthIt = now() - piece.since > WORTH_SHOWING_MS;
          if (!worthIt || now() - lastUpdate < BETWEEN_UPDATES_MS) return;
          shown = true;
          draw();
        },
        end() {
          running.delete(piece);
          if (shown) draw();
        },
      };
    },
  };
}

function progressBundle(pieces: readonly Piece[], now: number): MimeBundle {
  if (pieces.length === 0) return { 'text/plain': '' };
  const facts = pieces.map(({ label, total, done, since }) => {
    const seconds = (now - since) / 1000;
    return { label, done, total, seconds, secondsLeft: done > 0 ? (seconds / done) * (total - done) : null };
  });
  return {
    [mimeTypes.progress]: facts,
    'text/html': facts
      .map((fact) => {
        const bar = `<progress max="${fact.total}" value="${fact.done}" aria-label="${escapeHtml(fact.label)}"></progress>`;
        return `<div class="attention-progress">${bar} ${escapeHtml(sentence(fact))}</div>`;
      })
      .join('\n'),
    'text/plain': facts.map(sentence).join('\n'),
  };
}

function sentence(fact: { label: string; done: number; total: number; secondsLeft: number | null }): string {
  const { label, done, total, secondsLeft } = fact;
  const left = secondsLeft === null ? '' : `, ${duration(Math.ceil(secondsLeft))} left`;
  return `${label}: ${formatNumber(done, 'integer')} of ${formatNumber(total, 'integer')}${left}`;
}

/** Prints one line per minute on standard error, about the piece of work that is under way. */
export function logWatcher(now: () => number = () => performance.now()): Watcher {
  let last = now();
  return {
    begin(label, total) {
      const since = now();
      return {
        update(done) {
          if (now() - last < BETWEEN_LINES_MS) return;
          last = now();
          const secondsLeft = done > 0 ? ((last - since) / done / 1000) * (total - done) : null;
          process.stderr.write(`${sentence({ label, done, total, secondsLeft })}\n`);
        },
        end: () => undefined,
      };
    },
  };
}

/** One line of the terminal for each piece of work, on standard error, wiped when the work ends. */
export function terminalWatcher(): Watcher {
  let bars: MultiBar | undefined;
  let running = 0;
  return {
    begin(label, total) {
      running++;
      const since = performance.now();
      let bar: ReturnType<MultiBar['create']> | undefined;
      return {
        update(done) {
          const elapsed = performance.now() - since;
          if (elapsed < WORTH_SHOWING_MS) return;
          bars ??= new MultiBar({
            format: '{label} {bar} {percentage} % {left}',
            barsize: 24,
            clearOnComplete: true,
            hideCursor: true,
            stream: process.stderr,
          });
          const left = done > 0 ? `${duration(Math.ceil(((elapsed / done) * (total - done)) / 1000))} left` : '';
          bar ??= bars.create(total, 0, { label, left });
          bar.update(done, { label, left });
        },
        end() {
          if (bar) bars?.remove(bar);
          if (--running > 0) return;
          bars?.stop();
          bars = undefined;
        },
      };
    },
  };
}
