/** One set-up at a time in a folder. The others wait; a lock whose holder died is taken over. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './progress.mjs';

/** A process is known by its number and the time it began (numbers are used again). */
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

/** Runs `work` while `file` is ours. */
export async function alone(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, began: began(process.pid) }));
  // An interrupt ends the process without the `finally` below; what a killed one leaves is taken over by the next.
  const held = [mine];
  const release = () => held.forEach((path) => rmSync(path, { force: true }));
  process.once('exit', release);
  let said = false;
  try {
    for (;;) {
      try {
        linkSync(mine, file); // with its content or not at all, and only if nobody has it
        break;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = read(file);
      if (alive(holder)) {
        if (!said) say(`another set-up (process ${holder.pid}) is at work here; waiting for it`);
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

/** Removes a dead holder's lock; if a living one took its place a moment ago, gives it back. */
function takeAway(file, mine) {
  const taken = `${mine}.taken`;
  try {
    renameSync(file, taken);
  } catch {
    return; // somebody else was faster
  }
  try {
    if (alive(read(taken))) linkSync(taken, file);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(taken, { force: true });
  }
}
