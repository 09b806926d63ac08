import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Who holds a lock. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/**
 * Takes a lock file, or says who holds it. A lock whose process has died on this machine is taken over; one of another
 * machine stays until its file is deleted, since its process cannot be looked up.
 *
 * @returns a function that releases the lock, or the holder.
 */
export function acquire(file: string): (() => void) | Holder {
  mkdirSync(path.dirname(file), { recursive: true });
  const self: Holder = { pid: process.pid, host: os.hostname(), since: new Date().toISOString() };
  for (let attempt = 0; ; attempt++) {
    try {
      const descriptor = openSync(file, 'wx');
      writeSync(descriptor, JSON.stringify(self));
      closeSync(descriptor);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(file);
    if (holder !== null && (attempt > 2 || holder.host !== self.host || isAlive(holder.pid))) return holder;
    rmSync(file, { force: true });
  }
}

/** One phrase for messages. */
export function holderText({ pid, host, since }: Holder): string {
  return `process ${pid} on ${host}, since ${since}`;
}

/** null when the file is gone or was cut short by a crash. */
function holderOf(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
