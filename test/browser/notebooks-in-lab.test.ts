/**
 * The project's notebooks in JupyterLab, in the profile `test`: cell by cell, then restarted and run as a whole, saved, and
 * opened again. One of each half of the paper here, all of them in `npm run test:all`.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { root } from '../setup/scripts';
import { launchChromium } from './chromium';
import { cellsOf, dragAcross, idle, type Lab, menu, type Output, startLab, until, xRange } from './lab';

/** The second needs features that the first notebook, which another test runs meanwhile, computes as well. */
const QUICK = ['07-theorem.ipynb', '02-kruskal-curve.ipynb'];
/** The slowest takes a few minutes on a loaded machine. */
const RUN = 15 * 60_000;

const TABLE = 'application/vnd.attention-capacity.table+json';
const PLOTLY = 'application/vnd.plotly.v1+json';

describe('the notebooks in JupyterLab', () => {
  const names = readdirSync(join(root, 'notebooks'))
    .filter((name) => name.endsWith('.ipynb'))
    .sort();
  mkdirSync(join(root, '.jupyter'), { recursive: true });
  const folder = mkdtempSync(join(root, '.jupyter', 'test-notebooks-'));
  let browser: Browser;
  let lab: Lab;

  before(async () => {
    cpSync(join(root, 'notebooks'), folder, {
      recursive: true,
      filter: (path) => !path.includes('.ipynb_checkpoints'),
    });
    browser = await launchChromium();
    lab = await startLab({ browser, folder, environment: { ATTENTION_PROFILE: 'test' } });
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const name of process.env.ATTENTION_TEST_ALL ? names : QUICK) {
    test(name, async () => {
      const file = join(folder, name);
      let page = await lab.open(name);
      const code = page.locator('.jp-Notebook .jp-CodeCell');
      const count = cellsOf(file).length;
      const prompts = () => code.locator('.jp-InputArea-prompt').allTextContents();
      const numbered = Array.from({ length: count }, (_, i) => `[${i + 1}]:`);

      for (let i = 0; i < count; i++) {
        await code.nth(i).locator('.jp-InputArea-prompt').click();
        await page.keyboard.press('Control+Enter');
        await code
          .nth(i)
          .locator('.jp-InputArea-prompt')
          .getByText(`[${i + 1}]:`)
          .waitFor({ timeout: RUN });
      }
      const stepped = await save(page, file, count);
      assert.deepEqual(await prompts(), numbered);
      assert.equal(await page.locator('.jp-Notebook progress').count(), 0, 'no bar is left');

      await menu(page, 'Kernel', 'Restart Kernel and Run All Cells…');
      await page.locator('.jp-Dialog button.jp-mod-accept').click();
      await until(async () => (await prompts()).includes('[*]:'));
      // An error stops the other cells: it is shown, and not waited for.
      const errors = page.locator('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]');
      const ended = async () => (await prompts()).at(-1) === numbered.at(-1) || (await errors.count()) > 0;
      await until(ended, RUN).catch(async (error) => {
        const seen = [await prompts(), await page.locator('.jp-Notebook .jp-OutputArea').allInnerTexts()];
        throw new Error(`The cells did not run: ${JSON.stringify(seen)}`, { cause: error });
      });
      assert.deepEqual(await errors.allInnerTexts(), []);
      await idle(page, RUN);
      const whole = await save(page, file, count);
      assert.deepEqual(numbers(whole), numbers(stepped), 'the same numbers after a restart');

      const [tables, figures] = [TABLE, PLOTLY].map((type) => whole.filter(({ data }) => data && type in data).length);
      assert.ok(tables >= 1 && figures >= 1, `${tables} tables, ${figures} figures`);
      assert.equal(await page.locator('.attention-table').count(), tables);
      const plots = page.locator('.js-plotly-plot');
      assert.equal(await plots.count(), figures);
      const plot = plots.first();
      const before = await xRange(plot);
      await dragAcross(page, plot);
      await until(async () => (await xRange(plot)).join() !== before.join());
      await lab.end(page);

      page = await lab.open(name);
      // Plotly's extension shows the picture that it kept, or draws anew what was updated in place while it was shown.
      const drawn = page.locator('img.plot-img[src]:visible, .plot-container:visible');
      const shown = page.locator('.jp-RenderedPlotly').filter({ has: drawn });
      await until(async () => (await shown.count()) === figures);
      assert.equal(await page.locator('.attention-table').count(), tables);
      await lab.end(page);
    });
  }

  /** Saves the notebook and gives the outputs that are then in its file: of all cells, none an error. */
  async function save(page: Page, file: string, count: number): Promise<Output[]> {
    await page.keyboard.press('Control+s');
    // JupyterLab may be in the middle of writing it: what cannot be parsed yet is not saved yet.
    await until(() => Promise.resolve(cellsOf(file).every(({ execution_count: n }, i) => n === i + 1)));
    const cells = cellsOf(file);
    assert.equal(cells.length, count);
    const outputs = cells.flatMap((cell) => cell.outputs);
    assert.deepEqual(
      outputs.filter(({ output_type: type }) => type === 'error'),
      [],
    );
    return outputs;
  }
});

/** Everything that was shown, without how long it took and without plotly's picture of what it drew. */
function numbers(outputs: readonly Output[]): string[] {
  return outputs.flatMap(({ data }) => {
    const shown = data?.[TABLE] ?? data?.[PLOTLY] ?? data?.['text/plain'];
    const text = JSON.stringify(shown, (key, value: unknown) => (/seconds/i.test(key) ? undefined : value));
    return text ?? [];
  });
}
