/** Allows one set-up at a time in a folder. Others wait; a lock is taken over if its holder died. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './progress.mjs';

/** The start time of a process; it identifies a process together with its number, which may be reused. */
function began(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[19];
  } catch {
    return undefined;
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

const alive = (holder) => holder !== undefined && began(holder.pid) === holder.began;

/** Runs `work` while this process holds the lock `file`. */
export async function alone(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, began: began(process.pid) }));
  // An interrupt ends the process without the `finally` below. A killed process leaves its lock, which the next takes over.
  const held = [mine];
  const release = () => held.forEach((path) => rmSync(path, { force: true }));
  process.once('exit', release);
  let said = false;
  try {
    for (;;) {
      try {
        linkSync(mine, file); // atomic, and fails if another process has it
        break;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = read(file);
      if (alive(holder)) {
        if (!said) say(`another set-up (process ${holder.pid}) is running here; waiting for it`);
        said = true;
        await sleep(300);
      } else takeAway(file, mine);
    }
    held.push(file);
    return await work();
  } finally {
    release();
    process.off('exit', release);
  }
}

/** Removes a dead holder's lock. If a living process has taken it meanwhile, gives it back. */
function takeAway(file, mine) {
  const taken = `${mine}.taken`;
  try {
    renameSync(file, taken);
  } catch {
    return; // another process was faster
  }
  try {
    if (alive(read(taken))) linkSync(taken, file);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(taken, { force: true });
  }
}
