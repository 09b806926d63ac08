/** Allows one set-up at a time in a folder. Others wait; a lock is taken over if its holder died. */
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endOrphans, workIn } from './children.mjs';
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
  let leave = () => {};
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
    removeLeftovers(file);
    await endOrphans(file, (pids) =>
      say(`ending the programs that a killed set-up left running here (${programs(pids)})`),
    );
    leave = workIn(file);
    return await work();
  } finally {
    leave();
    release();
    process.off('exit', release);
  }
}

const programs = (pids) => pids.map((pid) => `process ${pid}`).join(', ');

/** Removes the files of processes that were killed while they waited for the lock or held it. */
function removeLeftovers(file) {
  for (const name of readdirSync(dirname(file))) {
    const [, pid] = name.startsWith(`${basename(file)}.`) ? (/\.(\d+)(?:\.taken)?$/.exec(name) ?? []) : [];
    if (pid === undefined) continue;
    const path = join(dirname(file), name);
    const holder = read(path);
    if (!existsSync(`/proc/${pid}`) || (holder !== undefined && !alive(holder))) rmSync(path, { force: true });
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
