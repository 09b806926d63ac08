/**
 * Starts other programs and makes sure that none outlives its script. Each runs in its own process group, so that it can be ended
 * together with the programs that it started. Those that a killed script leaves behind are recognized by their environment; the
 * next script that works in the same place ends them.
 */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** An environment variable: the places in which a program's script works, one per line. */
const PLACES = 'ATTENTION_SETUP_PLACES';
/** How long a program may take to end after SIGTERM. */
const PATIENCE_MS = 10_000;

const children = new Set();
const places = new Set();
let ending = false;

/** Programs started from now on work in `place`, until the returned function is called. */
export function workIn(place) {
  places.add(place);
  return () => places.delete(place);
}

/** As `spawn`. With `detached: false`, the terminal's Ctrl-C reaches the program too. */
export function start(command, args, options = {}) {
  if (ending) throw new Error(`${command} was not started: the script is ending`);
  const env = { ...(options.env ?? process.env) };
  if (places.size > 0) env[PLACES] = [...places].join('\n');
  const child = spawn(command, args, { detached: true, ...options, env });
  children.add(child);
  for (const event of ['close', 'error']) child.once(event, () => children.delete(child));
  return child;
}

/** Sends a signal to a program and to those it started, unless they have ended. */
function signal(pid, name) {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, name);
      return;
    } catch {
      // no such group, or it has ended
    }
  }
}

// For all other ways to end, when there is no time to wait.
process.once('exit', () => children.forEach(({ pid }) => pid && signal(pid, 'SIGTERM')));

/** Ends all started programs and waits for them. Afterwards no program can be started. */
export async function endChildren() {
  ending = true;
  const ended = Promise.all([...children].map((child) => new Promise((done) => child.once('close', done))));
  for (const name of ['SIGTERM', 'SIGKILL']) {
    for (const { pid } of children) if (pid) signal(pid, name);
    const patience = new AbortController();
    await Promise.race([ended, sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {})]);
    patience.abort();
    if (children.size === 0) return;
  }
}

/** The processes that ended scripts left running in `place`; the caller must hold the lock of that place. */
function orphans(place) {
  const own = new Set();
  for (let pid = process.pid; pid > 0 && !own.has(pid); pid = parentOf(pid)) own.add(pid);
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers.map(Number).filter((pid) => !own.has(pid) && placesOf(pid).includes(place));
}

function placesOf(pid) {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const found = entries.find((entry) => entry.startsWith(`${PLACES}=`));
    return found ? found.slice(PLACES.length + 1).split('\n') : [];
  } catch {
    return []; // it has ended, or belongs to another user
  }
}

function parentOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop().split(' ')[1]);
  } catch {
    return 0;
  }
}

/** Ends the processes that ended scripts left running in `place`; `tell` gets their numbers, if there are any. */
export async function endOrphans(place, tell) {
  let left = orphans(place);
  if (left.length === 0) return;
  tell(left);
  for (const pid of left) signal(pid, 'SIGTERM');
  for (let waited = 0; left.length > 0; waited += 100) {
    if (waited > PATIENCE_MS) for (const pid of left) signal(pid, 'SIGKILL');
    await sleep(100);
    left = orphans(place);
  }
}
