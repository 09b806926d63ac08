/** The reports as a folder of static files, ready to be published: pages, the executed notebooks and JSON that they link to. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SetupFailure } from '../setup/failure.mjs';

/**
 * Copies the front page and the `reports` that `makeReports` gives into `folder`, which is made where it is missing, and
 * returns its path.
 */
export function writeSite(reports, folder) {
  const site = resolve(folder);
  const [{ html: first }] = reports;
  if (site === dirname(resolve(first))) throw new SetupFailure(`--site expects a folder of its own, got the reports' '${folder}'`);
  mkdirSync(site, { recursive: true });
  const files = reports.flatMap(({ html, json }) => [html, json, html.replace(/\.html$/, '.ipynb')]);
  for (const file of [join(dirname(first), 'index.html'), ...files]) copyFileSync(file, join(site, basename(file)));
  // GitHub Pages then publishes the files as they are.
  writeFileSync(join(site, '.nojekyll'), '');
  return site;
}
