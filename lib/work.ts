/**
 * Work that takes long: it reports its progress, regularly yields to the event loop (only then does a notebook kernel
 * answer interrupts and show live output), and stops at its next step when it is interrupted.
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

/** Shows progress; `report` installs the watcher that suits the terminal or the notebook. */
export interface Watcher {
  /** Called once, when the work begins. `total` has the unit of the `done` that `update` gets. */
  begin(label: string, total: number): { update(done: number): void; end(): void };
}

/** A piece of work that is running. */
export interface Work {
  /** Reports that `done` of `total` is finished. Throws {@link Interrupted} if there was an interrupt since the work began. */
  advance(done: number): Promise<void>;
  /** Must be called in `finally`. */
  end(): void;
}

/** Thrown by work that was interrupted; what was finished before is kept in the caller's cache. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(label: string, done: number, total: number) {
    super(`interrupted: ${label}, ${done} of ${total} done`);
  }
}

const silent: Watcher = { begin: () => ({ update: () => undefined, end: () => undefined }) };
/** The longest time between two yields to the event loop. */
const YIELD_MS = 40;

let watcher = silent;
let interrupts = 0;
let running = 0;
const countInterrupt = () => void interrupts++;

/** Shows all work that begins from now on through `next`; without an argument, shows nothing. */
export function watchWith(next: Watcher = silent): void {
  watcher = next;
}

/** Stops all running work at its next step, as SIGINT does (Ctrl-C, or the kernel's interrupt). */
export function interruptWork(): void {
  countInterrupt();
}

/** Begins a piece of work of `total` steps. */
export function begin(label: string, total: number): Work {
  const view = watcher.begin(label, total);
  const interruptsBefore = interrupts;
  let ended = false;
  let lastYield = performance.now();
  // Listens only while work runs: without a listener, Node reacts to SIGINT by itself.
  if (running++ === 0) process.on('SIGINT', countInterrupt);
  return {
    async advance(done) {
      if (performance.now() - lastYield > YIELD_MS) {
        view.update(done);
        await new Promise((resolve) => setImmediate(resolve));
        lastYield = performance.now();
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
