/** ESLint with TypeScript's types, Prettier, and the same for the notebooks' cells. `--fix` repairs what it can. */
import { join } from 'node:path';
import { notebookProblems } from './notebooks.mjs';
import { prepare } from '../setup/setup.mjs';
import { SetupFailure, isMain, runScript } from '../setup/failure.mjs';
import { root } from '../setup/places.mjs';
import { run } from '../setup/run.mjs';

const bin = (...path) => join(root, 'node_modules', ...path);

/** The output of a linter that found something, or else nothing. */
async function complaints(...args) {
  const { status, output } = await run(process.execPath, args, { env: { ...process.env, NO_COLOR: '1' } });
  return status === 0 ? '' : output;
}

export async function lint({ fix = false } = {}) {
  const eslint = [
    bin('eslint', 'bin', 'eslint.js'),
    '--max-warnings=0',
    '--cache',
    '--cache-location',
    bin('.cache', 'eslint'),
    '.',
  ];
  const prettier = [
    bin('prettier', 'bin', 'prettier.cjs'),
    '--log-level=warn',
    '--cache',
    fix ? '--write' : '--check',
    '.',
  ];
  const found = await Promise.all([complaints(...eslint, ...(fix ? ['--fix'] : [])), complaints(...prettier)]);
  found.push((await notebookProblems(fix)).join('\n'));
  const text = found.filter(Boolean).join('\n\n');
  if (text)
    throw new SetupFailure(`${text}\n\nthe linters found problems; \`npm run lint -- --fix\` repairs some of them`, 1);
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    await prepare();
    await lint({ fix: process.argv.includes('--fix') });
  });
}
