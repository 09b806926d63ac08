/**
 * `npm start` and `npm run report`: make the reports, whatever state the checkout is in.
 *
 *     node scripts/reports/report.mjs [--run] [notebooks/01-assumptions.ipynb …]
 *
 * With --run, as in `npm start`, the notebooks are executed first, and each report is made as soon as its notebook is done.
 * A single figure, for a paper:
 *
 *     node scripts/reports/report.mjs --figure 02-kruskal-curve/kruskal-curve --out curve.pdf     (../browser/figure.mjs says more)
 */
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { executeNotebooks, findNotebooks } from '../notebooks/notebooks.mjs';
import { prepare } from '../setup/setup.mjs';
import { SetupFailure, runScript } from '../setup/failure.mjs';

const HELP = `npm start [-- NOTEBOOK …]     runs the notebooks, all or those named, and makes their reports
npm run report [-- …]         makes the reports of notebooks that were run

NOTEBOOK is a file, or how a name in notebooks/ begins: npm start -- 07

  --run                       run the notebooks first; npm start does
  --site FOLDER               also write the reports there as static files, ready to be published
  --figure NOTEBOOK/FIGURE    write a single figure instead, by its name or its number in the report
  --out FILE                  the figure's file: .pdf, .svg or .png
  --width PIXELS              its width, 96 pixels per inch (720); --height PIXELS its height
  --scale NUMBER              PNG pixels per pixel of width and height (3)
  --help                      this

ATTENTION_PROFILE=test|quick|paper chooses the sizes (quick); ATTENTION_DRAWS=500 and the like override one of them.
ATTENTION_JOBS says how many notebooks run at once; environment.md lists the other variables.
`;

/** Sizes that no notebook would take are refused before a report is replaced. */
function checkSizes() {
  try {
    createRequire(import.meta.url)('attention-capacity/experiments/profiles').checkSizes();
  } catch (error) {
    throw error.name === 'InputError' ? new SetupFailure(error.message) : error;
  }
}

await runScript(async () => {
  const texts = ['site', 'figure', 'out', 'width', 'height', 'scale'].map((name) => [name, { type: 'string' }]);
  const flags = ['run', 'help'].map((name) => [name, { type: 'boolean' }]);
  const options = Object.fromEntries([...flags, ...texts]);
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const { figure, out, width, height, scale } = values;
  const wantsFigure = figure !== undefined || out !== undefined;
  if (wantsFigure && !(figure && out)) throw new SetupFailure('expected both --figure NOTEBOOK/FIGURE and --out FILE, got one of them');
  const notebooks = findNotebooks(positionals);
  await prepare();
  // Imported only now, because these modules need the packages and the built library.
  if (wantsFigure) {
    const { exportFigure } = await import('../browser/figure.mjs');
    process.stdout.write(`${await exportFigure(figure, out, { width, height, scale })}\n`);
    return;
  }
  if (values.run) checkSizes();
  const { makeReports, reporter, tellReports } = await import('./make-reports.mjs');
  const { fresh, onEnd } = reporter();
  const passed = !values.run || (await executeNotebooks(notebooks, { onEnd }));
  const names = positionals.length > 0 ? notebooks.map((path) => basename(path, '.ipynb')) : undefined;
  const made = await makeReports({ names, fresh });
  process.stdout.write(`${tellReports(made)}\n`);
  if (values.site !== undefined) {
    const { writeSite } = await import('./site.mjs');
    process.stdout.write(`Static files: ${writeSite(made, values.site)}\n`);
  }
  if (!passed) process.exitCode = 1;
});
