/**
 * The notebooks of the project, run from top to bottom in the profile `test` and opened as their readers get them. The
 * first two here, all of them in `npm run test:all`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { root, script } from '../setup/scripts';
import { launchChromium } from './chromium';
import { barriers, openOffline } from './offline';

const all = readdirSync(join(root, 'notebooks'))
  .filter((name) => name.endsWith('.ipynb'))
  .sort();
const chosen = process.env.ATTENTION_TEST_ALL ? all : all.slice(0, 2);

const LINES_OF_TALLEST_CELL = `Math.max(...[...document.querySelectorAll('.table :is(td, th)')].map((cell) => {
  const { paddingTop, paddingBottom, lineHeight } = getComputedStyle(cell);
  const [top, bottom, line] = [paddingTop, paddingBottom, lineHeight].map(parseFloat);
  return Math.round((cell.clientHeight - top - bottom) / line);
}))`;

interface Output {
  data?: Record<string, unknown>;
}

describe('the notebooks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'notebooks-'));
  let browser: Browser;
  before(async () => {
    process.env.ATTENTION_PROFILE = 'test';
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The views in which the page scrolls sideways, or a cell of a table is a column of words. */
  async function misfits(html: string): Promise<string[]> {
    const found: string[] = [];
    for (const [view, width] of [
      ['screen', 360],
      ['print', 680],
    ] as const) {
      const { page } = await openOffline(browser, html, { viewport: { width, height: 800 } });
      await page.emulateMedia({ media: view });
      if (view === 'print') await page.evaluate("dispatchEvent(new Event('beforeprint'))");
      const fits = `document.documentElement.scrollWidth <= ${width}`;
      await page.waitForFunction(fits, undefined, { timeout: 5000 }).catch(() => found.push(`${view}: too wide`));
      const lines = (await page.evaluate(LINES_OF_TALLEST_CELL)) as number;
      if (lines > 8) found.push(`${view}: a cell of ${lines} lines`);
      await page.context().close();
    }
    return found;
  }

  for (const file of chosen) {
    const name = basename(file, '.ipynb');
    test(`${name} runs, and its page shows every table and figure offline`, async () => {
      const { executeNotebook } = await script('notebooks/notebooks.mjs');
      const { makeReports } = await script('reports/make-reports.mjs');
      const output = join(folder, file);
      const errors: unknown[] = [];
      const listener = {
        event: ({ error }: { error?: { traceback: string[] } }) => error && errors.push(error.traceback.join('\n')),
        end: () => undefined,
      };
      const { failed } = await executeNotebook(join(root, 'notebooks', file), { output, listener });
      assert.deepEqual([failed, errors], [false, []]);

      const notebook = JSON.parse(readFileSync(output, 'utf8')) as { cells: { outputs?: Output[] }[] };
      const outputs = notebook.cells.flatMap((cell) => cell.outputs ?? []);
      const litter = outputs.filter(({ data }) => Object.values(data ?? {}).join('') === '');
      assert.deepEqual(litter, [], 'nothing but what the cells show');
      const bundles = outputs.map(({ data }) => data ?? {});
      const count = (type: string) => bundles.filter((data) => type in data).length;
      const figures = count('application/vnd.plotly.v1+json');
      const tables = count('application/vnd.attention-capacity.table+json');
      const prose = readFileSync(join(root, 'notebooks', file), 'utf8');
      const shown = bundles.map((data) => String(data['text/plain'])).join('\n');
      const echoed = /profile '?test'?|`([a-z]+-)?test`/.test(shown) || /same in every profile/.test(prose);
      assert.ok(echoed, 'it says what it ran with');
      assert.ok(figures >= 1 && tables >= 1, `${figures} figures, ${tables} tables`);
      assert.ok(count('application/vnd.attention-capacity.headline+json') >= 1, 'it says what was found');

      const [{ html, json }] = await makeReports({ folder, names: [name] });
      const beside = JSON.parse(readFileSync(json, 'utf8')) as { tables: Record<string, unknown[]> };
      assert.equal(Object.keys(beside.tables).length, tables, 'every table has a name of its own');
      const { page, complaints } = await openOffline(browser, html);
      assert.equal(await page.locator('html').getAttribute('data-drawn'), String(figures));
      const drawn = await page.locator('figure.plot .main-svg[role=img][aria-label]').count();
      assert.equal(drawn, figures, 'every figure is drawn and has an alternative text');
      assert.equal(await page.locator('.table table').count(), tables);
      assert.equal(await page.locator('.formula, .katex-error').count(), 0, 'every formula is set');
      const ran = /Run on \d{4}-\d\d-\d\d in (\d+ s|\d+ min), profile test/;
      assert.match((await page.locator('footer').innerText()).replaceAll(/\s+/g, ' '), ran, 'it says how long it took');
      assert.deepEqual(complaints, []);
      assert.deepEqual(await barriers(page), []);
      await page.context().close();
      assert.deepEqual(await misfits(html as string), [], 'it fits a phone and paper');
      const { reportProblems } = await script('browser/check-reports.mjs');
      assert.deepEqual(await reportProblems(browser, html), []);
    });
  }
});
