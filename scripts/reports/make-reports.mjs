/**
 * Makes the reports of executed notebooks. Each `reports/<name>.ipynb` becomes `<name>.html`, one file that needs no network,
 * and `<name>.json`, the rows of its tables; `index.html` lists them all.
 */
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, relative } from 'node:path';
import { jupyterEnvironment } from '../notebooks/environment.mjs';
import { reports } from '../notebooks/notebooks.mjs';
import { frontPage } from './front-page.mjs';
import { fillPage, withNeighbours } from './page.mjs';
import { SetupFailure } from '../setup/failure.mjs';
import { python, root } from '../setup/places.mjs';
import { mustRun } from '../setup/run.mjs';

const { mimeTypes } = createRequire(import.meta.url)('attention-capacity/report/show');

/**
 * Makes the reports of the executed notebooks in `folder` (all or the named ones, except the `fresh` ones) and the page that
 * lists them all.
 *
 * @returns {Promise<{name, title, headlines: string[], html: string, json: string, failed: boolean}[]>}
 */
export async function makeReports({ folder = reports, names, fresh = [] } = {}) {
  const executed = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.ipynb'))
        .sort()
    : [];
  const missing = (names ?? []).filter((name) => !executed.includes(`${name}.ipynb`));
  const how = '`npm run report -- --run` runs the notebooks first';
  if (executed.length === 0) throw new SetupFailure(`expected executed notebooks, found none: ${how}`);
  if (missing.length > 0) throw new SetupFailure(`${missing.join(', ')}: not executed yet: ${how}`);
  const made = [];
  for (const file of executed) {
    const report = readReport(join(folder, file));
    const isWanted = !names || names.includes(report.name);
    if (isWanted && !fresh.includes(report.name)) await makeReport(report, join(folder, file));
    made.push(report);
  }
  made.forEach(({ html }, i) => linkPage(html, made[i - 1], made[i + 1]));
  write(join(folder, 'index.html'), frontPage(made));
  return names ? made.filter(({ name }) => names.includes(name)) : made;
}

/** Makes the report of each notebook when it has ended, for `executeNotebooks`; `fresh` lists those that were made. */
export function reporter(folder = reports) {
  const fresh = [];
  let turn = Promise.resolve();
  return {
    fresh,
    onEnd(name) {
      // One at a time: each writes the page that lists them all.
      turn = turn.then(async () => {
        // If the kernel died in its first run, there is nothing to report.
        if (!existsSync(join(folder, `${name}.ipynb`))) return undefined;
        const [{ html }] = await makeReports({ folder, names: [name] });
        fresh.push(name);
        return relative(process.cwd(), html);
      });
      return turn;
    },
  };
}

/** Reads the contents of a report from the executed notebook. */
function readReport(path) {
  const notebook = JSON.parse(readFileSync(path, 'utf8'));
  const outputs = notebook.cells.flatMap((cell) => cell.outputs ?? []).map(({ data }) => data ?? {});
  const all = (type) => outputs.filter((data) => type in data);
  const name = basename(path, '.ipynb');
  const told = all(mimeTypes.headline).map((data) => data[mimeTypes.headline]);
  const figures = all(mimeTypes.plotly);
  const named = (data) => told.some(({ figure }) => figure !== undefined && figure === data[mimeTypes.figure]?.name);
  const figure = figures.find(named) ?? figures[0];
  return {
    name,
    title: titleOf(notebook) ?? name,
    headlines: told.map(({ text }) => text),
    tables: Object.fromEntries(
      all(mimeTypes.table).map((data) => [data[mimeTypes.table].name, data[mimeTypes.table].rows]),
    ),
    figure: figure && { spec: figure[mimeTypes.plotly], alt: figure[mimeTypes.figure]?.alt ?? '' },
    figures: figures.length,
    run: notebook.metadata.attention_capacity ?? {},
    failed: notebook.metadata.attention_capacity?.failed === true,
    html: path.replace(/\.ipynb$/, '.html'),
    json: path.replace(/\.ipynb$/, '.json'),
  };
}

async function makeReport(report, executed) {
  const raw = `${report.html}.part`;
  await mustRun(`exporting ${report.name}`, python, [join(root, 'scripts', 'reports', 'report.py'), executed, raw], {
    env: jupyterEnvironment(),
  });
  write(report.html, fillPage(readFileSync(raw, 'utf8')));
  rmSync(raw, { force: true });
  const { tables, headlines, run } = report;
  write(report.json, `${JSON.stringify({ tables, headlines, run }, null, 1)}\n`);
}

/** Which reports stand before and after one is known only now; most pages have the right links already. */
function linkPage(html, previous, next) {
  if (!existsSync(html)) return;
  const page = readFileSync(html, 'utf8');
  const linked = withNeighbours(page, previous, next);
  if (linked !== page) write(html, linked);
}

function titleOf(notebook) {
  const prose = notebook.cells
    .filter((cell) => cell.cell_type === 'markdown')
    .map(({ source }) => [source].flat().join(''));
  return /^# (.*)$/m.exec(prose.join('\n'))?.[1].trim();
}

/** Writes the whole file or leaves the old one. */
function write(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** What is printed when the reports are made. */
export function tellReports(made) {
  const here = (path) => relative(process.cwd(), path) || '.';
  const lines = made.flatMap(({ title, html, headlines, failed }) => [
    '',
    `${title}${failed ? ' (a cell failed)' : ''}`,
    ...headlines.map((text) => `  ${text}`),
    `  ${here(html)}`,
  ]);
  return [...lines, '', `All reports: ${here(join(reports, 'index.html'))}`].join('\n').trimStart();
}
