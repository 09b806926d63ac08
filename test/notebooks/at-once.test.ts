/** Notebooks that run at once: none begins before what it names has ended, and no core waits for nothing. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { script, temporaryFolder } from '../setup/scripts';

interface Times {
  readonly began: number;
  readonly ended: number;
}

/** A cell that does some work and gives the times of its begin and end. */
const timed = (work = '') => `const began = Date.now();\n${work}\nJSON.stringify({ began, ended: Date.now() })`;

interface Wishes {
  readonly after?: readonly string[];
  readonly alone?: boolean;
  readonly early?: boolean;
  readonly second?: string;
}

/** Writes a notebook of two cells: `first`, which does nothing, and `second`. */
function writeNotebook(folder: string, name: string, { second = timed(), ...wishes }: Wishes = {}): string {
  const cell = (id: string, source: string) => {
    return { cell_type: 'code', id, metadata: {}, execution_count: null, outputs: [], source };
  };
  const path = join(folder, `${name}.ipynb`);
  const metadata = { attention_capacity: wishes };
  const cells = [cell('first', 'const nothing = 0;'), cell('second', second)];
  writeFileSync(path, JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));
  return path;
}

/** Code of a cell that gives a sign, and of one that waits for it: a minute at most. */
function signal(folder: string, name: string): { give: string; wait: string } {
  const path = JSON.stringify(join(folder, name));
  return {
    give: `import { writeFileSync } from 'node:fs';\nwriteFileSync(${path}, '');`,
    wait:
      "import { existsSync } from 'node:fs';\n" +
      `for (let i = 0; i < 600 && !existsSync(${path}); i++) await new Promise((done) => setTimeout(done, 100));`,
  };
}

/** The text that the second cell of an executed notebook gave. */
function givenBy(folder: string, notebook: string): string {
  const { cells } = JSON.parse(readFileSync(join(folder, basename(notebook)), 'utf8'));
  const shown = [cells[1].outputs[0].data['text/plain']].flat().join('');
  return /'(.*)'/s.exec(shown)![1];
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

/** Runs notebooks, so many at once, all of whose cells succeed; when each began and ended. */
async function timesInJobs(t: TestContext, jobs: string, notebooks: readonly string[]): Promise<Times[]> {
  const { executeNotebooks } = await script('notebooks/notebooks.mjs');
  const reports = temporaryFolder(t);
  assert.equal(await inJobs(t, jobs, () => executeNotebooks(notebooks, { folder: reports })), true);
  return notebooks.map((path) => JSON.parse(givenBy(reports, path)) as Times);
}

describe('notebooks at once', () => {
  test('two run together, and one that waits for another comes when that has ended', async (t) => {
    const folder = temporaryFolder(t);
    const sign = signal(folder, 'the third runs');
    const [first, second, third] = await timesInJobs(t, '2', [
      writeNotebook(folder, 'first', { second: timed(sign.wait) }),
      writeNotebook(folder, 'second', { after: ['first', 'a notebook that does not run'] }),
      writeNotebook(folder, 'third', { second: timed(sign.give) }),
    ]);
    assert.ok(third.began < first.ended, 'the third overtakes the second');
    assert.ok(second.began >= first.ended, 'the second waits for the first');
  });

  test('one that asks for it comes first and runs alone, and an early one before the others', async (t) => {
    const folder = temporaryFolder(t);
    const wait = 'await new Promise((done) => setTimeout(done, 300));';
    const [first, second, alone, early] = await timesInJobs(t, '2', [
      writeNotebook(folder, 'first', { second: timed(wait) }),
      writeNotebook(folder, 'second', { second: timed(wait) }),
      writeNotebook(folder, 'alone', { alone: true, second: timed(wait) }),
      writeNotebook(folder, 'early', { early: true, second: timed(wait) }),
    ]);
    for (const other of [first, second, early]) assert.ok(other.began >= alone.ended, 'nothing runs beside it');
    assert.ok(early.began < second.began);
  });

  test('one that waits for a cell of another comes when that cell is done', async (t) => {
    const folder = temporaryFolder(t);
    const sign = signal(folder, 'the second runs');
    const [first, second, third] = await timesInJobs(t, '3', [
      writeNotebook(folder, 'first', { second: timed(sign.wait) }),
      writeNotebook(folder, 'second', { after: ['first#first'], second: timed(sign.give) }),
      writeNotebook(folder, 'third', { after: ['first#second', 'second#no such cell'] }),
    ]);
    assert.ok(second.began < first.ended, 'the second does not wait for the rest of the first');
    assert.ok(third.began >= Math.max(first.ended, second.ended), 'the third waits for both');
  });

  test('a report is there as soon as its notebook has ended, while others still run', async (t) => {
    const { executeNotebooks } = await script('notebooks/notebooks.mjs');
    const { makeReports, reporter } = await script('reports/make-reports.mjs');
    const folder = temporaryFolder(t);
    const reports = temporaryFolder(t);
    const { fresh, onEnd } = reporter(reports);
    const waits = `${signal(reports, 'index.html').wait}\nString(existsSync(${JSON.stringify(join(reports, 'first.html'))}))`;
    const notebooks = [writeNotebook(folder, 'first'), writeNotebook(folder, 'second', { second: waits })];
    assert.equal(await inJobs(t, '2', () => executeNotebooks(notebooks, { folder: reports, onEnd })), true);
    assert.equal(givenBy(reports, notebooks[1]), 'true');
    assert.deepEqual(fresh, ['first', 'second']);

    const written = () => statSync(join(reports, 'first.html')).mtimeMs;
    const before = written();
    const listed: { name: string }[] = await makeReports({ folder: reports, fresh });
    assert.deepEqual([listed.map(({ name }) => name), written()], [fresh, before], 'and is not made again');
  });

  test("the project's notebooks wait for cells that there are", async () => {
    const { findNotebooks } = await script('notebooks/notebooks.mjs');
    const places = new Set<string>();
    const named: string[] = [];
    for (const path of findNotebooks() as string[]) {
      const name = basename(path, '.ipynb');
      const { cells, metadata } = JSON.parse(readFileSync(path, 'utf8'));
      places.add(name);
      for (const { cell_type: type, id } of cells) if (type === 'code') places.add(`${name}#${id}`);
      named.push(...(metadata.attention_capacity?.after ?? []));
    }
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter((place) => !places.has(place)),
      [],
    );
  });

  test('notebooks that wait for each other, and a wrong number of jobs, are reported', async (t) => {
    const { executeNotebooks } = await script('notebooks/notebooks.mjs');
    const folder = temporaryFolder(t);
    const circle = [
      writeNotebook(folder, 'one', { after: ['other'] }),
      writeNotebook(folder, 'other', { after: ['one'] }),
    ];
    await assert.rejects(executeNotebooks(circle, { folder }), /one, other wait for each other/);
    await assert.rejects(
      inJobs(t, 'many', () => executeNotebooks([], { folder })),
      /ATTENTION_JOBS: expected a positive whole number, .* got 'many'/,
    );
  });
});

test('notebooks that run at once share the cores, one alone has them all', async (t) => {
  const folder = temporaryFolder(t);
  const second = "String(process.env.TF_NUM_INTRAOP_THREADS ?? 'all')";
  const notebooks = [
    writeNotebook(folder, 'one', { second }),
    writeNotebook(folder, 'two', { second }),
    writeNotebook(folder, 'three', { second, after: ['one', 'two'] }),
  ];
  const { executeNotebooks } = await script('notebooks/notebooks.mjs');
  const reports = temporaryFolder(t);
  const wanted = process.env.TF_NUM_INTRAOP_THREADS;
  t.after(() => {
    if (wanted !== undefined) process.env.TF_NUM_INTRAOP_THREADS = wanted;
  });
  delete process.env.TF_NUM_INTRAOP_THREADS;
  assert.equal(await inJobs(t, '2', () => executeNotebooks(notebooks, { folder: reports })), true);
  const half = String(Math.max(1, Math.floor(availableParallelism() / 2)));
  assert.deepEqual(
    notebooks.map((path) => givenBy(reports, path)),
    [half, half, String(availableParallelism())],
  );
});
