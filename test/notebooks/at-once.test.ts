/** Notebooks that run at once: none begins before those it names have ended, and no core waits for nothing. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { script, temporaryFolder } from '../setup/scripts';

interface Times {
  readonly began: number;
  readonly ended: number;
}

/** Writes a notebook of one cell that does some work and gives the times of its begin and end. */
function writeNotebook(folder: string, name: string, { after = [] as string[], work = '' } = {}): string {
  const source = `const began = Date.now();\n${work}\nJSON.stringify({ began, ended: Date.now() })`;
  const cell = { cell_type: 'code', id: 'only', metadata: {}, execution_count: null, outputs: [], source };
  const path = join(folder, `${name}.ipynb`);
  const metadata = { attention_capacity: { after } };
  writeFileSync(path, JSON.stringify({ cells: [cell], metadata, nbformat: 4, nbformat_minor: 5 }));
  return path;
}

function timesOf(folder: string, name: string): Times {
  const { cells } = JSON.parse(readFileSync(join(folder, `${name}.ipynb`), 'utf8'));
  const shown = cells[0].outputs[0].data['text/plain'] as string;
  return JSON.parse(/\{.*\}/.exec(shown)![0]) as Times;
}

async function inJobs<T>(t: TestContext, jobs: string, work: () => Promise<T>): Promise<T> {
  const before = process.env.ATTENTION_JOBS;
  t.after(() => {
    if (before === undefined) delete process.env.ATTENTION_JOBS;
    else process.env.ATTENTION_JOBS = before;
  });
  process.env.ATTENTION_JOBS = jobs;
  return work();
}

describe('notebooks at once', () => {
  test('two run together, and one that waits for another comes when that has ended', async (t) => {
    const { executeNotebooks } = await script('notebooks.mjs');
    const [folder, reports] = [temporaryFolder(t), temporaryFolder(t)];
    const sign = JSON.stringify(join(folder, 'the third runs'));
    const awaitSign =
      "import { existsSync } from 'node:fs';\n" +
      `for (let i = 0; i < 600 && !existsSync(${sign}); i++) await new Promise((done) => setTimeout(done, 100));`;
    const giveSign = `import { writeFileSync } from 'node:fs';\nwriteFileSync(${sign}, '');`;
    const notebooks = [
      writeNotebook(folder, 'first', { work: awaitSign }),
      writeNotebook(folder, 'second', { after: ['first', 'a notebook that does not run'] }),
      writeNotebook(folder, 'third', { work: giveSign }),
    ];
    assert.equal(await inJobs(t, '2', () => executeNotebooks(notebooks, reports)), true);
    const [first, second, third] = ['first', 'second', 'third'].map((name) => timesOf(reports, name));
    assert.ok(third.began < first.ended, 'the third overtakes the second');
    assert.ok(second.began >= first.ended, 'the second waits for the first');
  });

  test('notebooks that wait for each other, and a number of jobs that is none, are named', async (t) => {
    const { executeNotebooks } = await script('notebooks.mjs');
    const folder = temporaryFolder(t);
    const circle = [
      writeNotebook(folder, 'one', { after: ['other'] }),
      writeNotebook(folder, 'other', { after: ['one'] }),
    ];
    await assert.rejects(executeNotebooks(circle, folder), /one, other wait for each other/);
    await assert.rejects(
      inJobs(t, 'many', () => executeNotebooks([], folder)),
      /ATTENTION_JOBS is 'many'; it must be a positive whole number/,
    );
  });
});
