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
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { executeNotebooks, findNotebooks } from '../notebooks/notebooks.mjs';
import { prepare } from '../setup/setup.mjs';
import { SetupFailure, runScript } from '../setup/failure.mjs';

await runScript(async () => {
  const texts = ['figure', 'out', 'width', 'height', 'scale'].map((name) => [name, { type: 'string' }]);
  const options = { run: { type: 'boolean' }, ...Object.fromEntries(texts) };
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
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
  const { makeReports, reporter, tellReports } = await import('./make-reports.mjs');
  const { fresh, onEnd } = reporter();
  const passed = !values.run || (await executeNotebooks(notebooks, { onEnd }));
  const names = positionals.length > 0 ? notebooks.map((path) => basename(path, '.ipynb')) : undefined;
  process.stdout.write(`${tellReports(await makeReports({ names, fresh }))}\n`);
  if (!passed) process.exitCode = 1;
});
