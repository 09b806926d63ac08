/**
 * `npm test`: set up, build, lint, then run every test. `--all` adds the long ones. Words select test files by their path
 * and skip the linting: `npm test -- rank/near-tolerance`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { coresFor } from '../notebooks/cores.mjs';
import { lint } from '../lint/lint.mjs';
import { prepare } from '../setup/setup.mjs';
import { start } from '../setup/children.mjs';
import { SetupFailure, runScript, statusOf } from '../setup/failure.mjs';
import { root } from '../setup/places.mjs';
import { say } from '../setup/progress.mjs';

/** Test files at a time. */
const CONCURRENCY = 2;
/** A test file that takes longer hangs; with `--all`, one of them runs all notebooks twice. */
const TIMEOUT_MS = 20 * 60_000;
const TIMEOUT_OF_ALL_MS = 90 * 60_000;

/** The compiled tests of the existing sources; dist may also hold tests whose source was deleted. */
function testFiles(words) {
  const isSource = (name) => name.endsWith('.test.ts') && !/^(dist|node_modules)\//.test(name);
  const sources = readdirSync(join(root, 'test'), { recursive: true }).filter(isSource).sort();
  return sources
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .map((name) => join(root, 'test', 'dist', name.replace(/\.ts$/, '.js')));
}

await runScript(async () => {
  const words = process.argv.slice(2).filter((word) => word !== '--all');
  const all = process.argv.includes('--all');
  await prepare();
  if (words.length === 0) await lint();
  const files = testFiles(words);
  if (files.length === 0) throw new SetupFailure(`expected words from the path of a test file, got ${words.join(' ')}`);
  say(`${files.length} test files`);
  const options = [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${all ? TIMEOUT_OF_ALL_MS : TIMEOUT_MS}`,
    `--test-reporter=${join(import.meta.dirname, 'test-report.mjs')}`,
    '--test-reporter-destination=stdout',
  ];
  const env = { TF_NUM_INTRAOP_THREADS: String(coresFor(CONCURRENCY)), ...process.env };
  if (all) env.ATTENTION_TEST_ALL = '1';
  const settings = { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] };
  process.exitCode = await statusOf(start(process.execPath, [...options, ...files], settings));
});
