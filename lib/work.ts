/**
 * How long work behaves while it runs: it says how far it is, lets the event loop breathe (a notebook kernel answers
 * interrupts and shows live output only then), and stops where it stands when someone asks it to.
 *
 * A long loop reads
 *
 *     const work = begin('ranks of 197-subsets', draws);
 *     try {
 *       for (…) await work.advance(done);
 *     } finally {
 *       work.end();
 *     }
 */

/** Shows the progress of one piece of work; `report` installs the one that fits the screen. */
export interface Watcher {
  /** Called once, when the work begins; `total` is in the unit of `update`'s `done`. */
  begin(label: string, total: number): { update(done: number): void; end(): void };
}

/** One piece of work under way. */
export interface Work {
  /** Reports that `done` of `total` is behind us. Throws {@link Interrupted} if an interrupt came since the work began. */
  advance(done: number): Promise<void>;
  /** To be called in `finally`, whatever happened. */
  end(): void;
}

/** Thrown out of work that was interrupted; what it had finished before is kept by its caller's cache. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(label: string, done: number, total: number) {
    super(`interrupted: ${label}, ${done} of ${total} done`);
  }
}

const silent: Watcher = { begin: () => ({ update: () => undefined, end: () => undefined }) };
/** The longest the event loop waits for its turn. */
const BREATH_MS = 40;

let watcher = silent;
let interrupts = 0;
let running = 0;
const countInterrupt = () => void interrupts++;

/** Shows all work that begins from now on through `next`; without argument, shows nothing. */
export function watchWith(next: Watcher = silent): void {
  watcher = next;
}

/** Stops all work now under way at its next step, as SIGINT (Ctrl-C, a kernel's interrupt) does. */
export function interruptWork(): void {
  countInterrupt();
}

/** Announces a piece of work of `total` steps. */
export function begin(label: string, total: number): Work {
  const view = watcher.begin(label, total);
  const interruptsBefore = interrupts;
  let ended = false;
  let lastBreath = performance.now();
  // A listener only while something runs: with none, Node's own reaction to SIGINT stays in force.
  if (running++ === 0) process.on('SIGINT', countInterrupt);
  return {
    async advance(done) {
      if (performance.now() - lastBreath > BREATH_MS) {
        view.update(done);
        await new Promise((resolve) => setImmediate(resolve));
        lastBreath = performance.now();
      }
      if (interrupts > interruptsBefore) throw new Interrupted(label, done, total);
    },
    end() {
      if (ended) return;
      ended = true;
      view.end();
      if (--running === 0) process.off('SIGINT', countInterrupt);
    },
  };
}
