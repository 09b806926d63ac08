/**
 * `npm run bench [-- ROOM …]`: every bench/<room>/bench.mjs, or those named, one after the other on an idle machine. Each
 * compares this project with PyTorch in one run and finds PyTorch's Python in ATTENTION_TORCH_PYTHON: the one that is set
 * there already, or an environment of the pinned bench/requirements.txt, made in the cache the first time (some 5 GB).
 */
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { prepare } from '../scripts/setup/setup.mjs';
import { start } from '../scripts/setup/children.mjs';
import { SetupFailure, runScript, statusOf } from '../scripts/setup/failure.mjs';
import { root } from '../scripts/setup/places.mjs';
import { say } from '../scripts/setup/progress.mjs';
import { ensureEnvironment, pythonOf, torch } from '../scripts/setup/python.mjs';

const bench = join(root, 'bench');
const scriptOf = (room) => join(bench, room, 'bench.mjs');

async function torchPython() {
  if (process.env.ATTENTION_TORCH_PYTHON) return process.env.ATTENTION_TORCH_PYTHON;
  await ensureEnvironment(torch);
  return pythonOf(torch);
}

await runScript(async () => {
  const all = readdirSync(bench).filter((room) => existsSync(scriptOf(room)));
  const rooms = process.argv.slice(2);
  const unknown = rooms.filter((room) => !all.includes(room));
  if (unknown.length > 0)
    throw new SetupFailure(`bench has ${all.join(', ') || 'no rooms'}, not ${unknown.join(', ')}`);
  await prepare();
  const env = { ...process.env, ATTENTION_TORCH_PYTHON: await torchPython() };
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  say(
    `${cpus()[0].model.trim()}, ${availableParallelism()} cores, ${memory} GiB, Linux ${release()}, Node ${process.version}`,
  );
  for (const room of rooms.length > 0 ? rooms : all) {
    say(`\n${room}`);
    const status = await statusOf(start(process.execPath, [scriptOf(room)], { cwd: root, env, stdio: 'inherit' }));
    if (status !== 0) throw new SetupFailure(`bench/${room}/bench.mjs ended with status ${status}`, 1);
  }
});
