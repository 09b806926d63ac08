/** JupyterLab as a person uses it: open, run all, look, interrupt, save, open again. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { root } from '../setup/scripts';
import { launchChromium } from './chromium';
import { cellsOf, dragAcross, type Lab, menu, PATIENCE, startLab, until, xRange } from './lab';

/** Run in the page: keeps each state of a progress bar, with the text beside it, in `barsSeen`. */
const RECORD_BARS = `
  globalThis.barsSeen = [];
  new MutationObserver(() => {
    const bar = document.querySelector('.jp-Notebook progress');
    const value = bar?.getAttribute('value') ?? undefined;
    if (value === undefined || value === barsSeen.at(-1)?.value) return;
    barsSeen.push({ value, text: bar.closest('.jp-Cell-outputArea')?.textContent ?? '' });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });`;

describe('JupyterLab', () => {
  // In the checkout, because that is where a kernel finds the library.
  mkdirSync(join(root, '.jupyter'), { recursive: true });
  const folder = mkdtempSync(join(root, '.jupyter', 'test-'));
  let lab: Lab;
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];

  before(async () => {
    cpSync(join(root, 'test', 'notebooks', 'fixtures'), folder, { recursive: true });
    browser = await launchChromium();
    lab = await startLab({ browser, folder });
  });
  after(async () => {
    await browser?.close();
    await lab?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  // Each test has its own workspace, and its kernels end with it.
  afterEach(() => lab.end(page));

  async function open(notebook: string): Promise<void> {
    page = await lab.open(notebook);
    page.on('request', (request) => requests.push(request.url()));
  }
  const cell = (index: number): Locator => page.locator('.jp-Notebook .jp-CodeCell').nth(index);
  const prompt = (index: number): Locator => cell(index).locator('.jp-InputArea-prompt');
  const output = (index: number): Locator => cell(index).locator('.jp-Cell-outputArea');
  async function addCell(code: string): Promise<void> {
    await page.locator('.jp-Notebook .jp-CodeCell').last().locator('.jp-InputArea-prompt').click();
    await page.keyboard.press('b');
    await page.keyboard.press('Enter');
    await page.keyboard.insertText(code);
  }

  test('Run All: numbered prompts, a table, plots that answer the pointer, a bar that moves and goes', async () => {
    await open('showing.ipynb');
    // Recorded in the page: on a loaded machine the bar may have gone before this process looks.
    await page.evaluate(RECORD_BARS);
    await menu(page, 'Run', 'Run All Cells');
    await page.getByText('[5]:', { exact: true }).first().waitFor(PATIENCE);
    for (let i = 0; i < 5; i++) assert.equal(await prompt(i).textContent(), `[${i + 1}]:`);
    assert.equal(await page.locator('.jp-Notebook progress').count(), 0);
    const bars = await page.evaluate<{ text: string }[]>('barsSeen');
    assert.ok(bars.length >= 2, `${bars.length} states of the bar were seen`);
    for (const { text } of bars) assert.match(text, /counting: \d+ of 60/);
    assert.ok(bars.some(({ text }) => /counting: \d+ of 60, \d.* left/.test(text)));

    assert.equal(await output(0).locator('table td').count(), 10);
    assert.match((await output(0).textContent())!, /random <b>embeddings<\/b> & "more"/);
    const plots = output(1).locator('.js-plotly-plot');
    assert.equal(await plots.count(), 2);
    for (const plot of await plots.all()) {
      const point = plot.locator('.point').nth(5);
      await point.scrollIntoViewIfNeeded();
      await point.hover({ force: true });
      await plot.locator('.hoverlayer .hovertext').first().waitFor(PATIENCE);
      const whole = await xRange(plot);
      await dragAcross(page, plot);
      await until(async () => (await xRange(plot)).join() !== whole.join());
      const [from, to] = await xRange(plot);
      assert.ok(whole[0] < from && to < whole[1], 'a drag zooms into what it passes over');
      assert.match(
        (await plot.locator('.annotation-text').allTextContents()).join('\n'),
        /The [12] is the fixture/,
        'its caption is shown',
      );
      const buttons = plot.locator('.modebar-btn');
      const titles = await buttons.evaluateAll((all) => all.map((button) => button.getAttribute('data-title')));
      assert.ok(titles.length > 3, titles.join());
      assert.deepEqual(
        titles.filter((title) => /share|cloud|upload|edit/i.test(title!)),
        [],
        'no button uploads it',
      );
    }
    assert.match((await output(3).textContent())!, /It was done/);
    assert.deepEqual(
      requests.filter((url) => /^https?:/.test(url) && !url.startsWith(lab.address)),
      [],
      'nothing is asked of the network',
    );
  });

  test('an error shows the line in the cell, and what follows does not run', async () => {
    await open('failing.ipynb');
    await menu(page, 'Run', 'Run All Cells');
    await output(1).getByText('three is one too many').first().waitFor(PATIENCE);
    assert.match(
      (await output(1).textContent())!,
      /RangeError: three is one too many\s+at In \[2\], line 3\s+3 \| +throw new/,
    );
    await page.getByText('TypeScript (attention-capacity) | Idle').waitFor(PATIENCE);
    assert.equal(await prompt(2).textContent(), '[ ]:');
    await prompt(2).click();
    await page.keyboard.press('Shift+Enter');
    await output(2).getByText('42').waitFor(PATIENCE);
    assert.equal(await prompt(2).textContent(), '[3]:', 'the failed cell kept what came before its error');
    await prompt(4).click();
    await page.keyboard.press('Shift+Enter');
    await output(4)
      .getByText(/at In \[4\], line 3/)
      .waitFor(PATIENCE);
    assert.match((await output(4).textContent())!, /at table \(lib\/report\/display\.ts:\d+:\d+\)/);
  });

  test('an interrupt stops a long cell within two seconds, and the kernel goes on', async () => {
    await open('showing.ipynb');
    await menu(page, 'Run', 'Run All Cells');
    await page.getByText('[5]:', { exact: true }).first().waitFor(PATIENCE);
    await addCell('await work(1e5);');
    await page.keyboard.press('Control+Enter');
    await output(5).locator('progress').waitFor(PATIENCE);
    const asked = Date.now();
    await page.getByRole('button', { name: 'Interrupt the kernel' }).click();
    await output(5).getByText('interrupted: counting').first().waitFor(PATIENCE);
    const took = Date.now() - asked;
    assert.ok(took < 2000, `it took ${took} ms`);
    assert.equal(await output(5).locator('progress').count(), 0);
    await addCell('ranks.rows.length + 40');
    await page.keyboard.press('Control+Enter');
    await output(6).getByText('42').waitFor(PATIENCE);
  });

  test('a cell completes and explains what the library offers', async () => {
    await open('showing.ipynb');
    await prompt(0).click();
    await page.keyboard.press('Control+Enter');
    await page.getByText('[1]:', { exact: true }).first().waitFor(PATIENCE);
    await addCell('ranks.fra');
    await page.keyboard.press('Tab');
    await page.locator('.jp-Completer:visible, .cm-content:has-text("ranks.frame")').first().waitFor(PATIENCE);
    if (await page.locator('.jp-Completer:visible').count()) await page.keyboard.press('Enter');
    await page.locator('.cm-content:has-text("ranks.frame")').first().waitFor(PATIENCE);
    await page.keyboard.press('Escape');
    await addCell('table');
    await page.keyboard.press('Shift+Tab');
    await page.locator('.jp-Tooltip').getByText('Makes a table of').waitFor(PATIENCE);
  });

  test('a live training curve grows while its cell runs', async () => {
    await open('showing.ipynb');
    await addCell(`import { liveTrainingCurve } from 'attention-capacity/experiments/memorization/figures';
const curve = liveTrainingCurve('Live');
for (let step = 1; step <= 6; step++) {
  curve({} as never, { step, loss: 1 / step, accuracy: null } as never);
  await new Promise((done) => setTimeout(done, 1500));
}
'grown'`);
    // Recorded in the page, in which every state is soon replaced by the next.
    await page.evaluate(`window.pointsSeen = new Set();
      setInterval(() => pointsSeen.add(document.querySelectorAll('.jp-Notebook .js-plotly-plot .point').length), 50)`);
    await page.keyboard.press('Control+Enter');
    await output(5).getByText('grown').waitFor(PATIENCE);
    await until(async () => (await output(5).locator('.js-plotly-plot .point').count()) === 6);
    const seen = await page.evaluate<number[]>('[...pointsSeen].filter((points) => points > 0)');
    assert.ok(seen.length >= 3, `points seen: ${seen.join()}`);
    assert.equal(await output(5).locator('.js-plotly-plot').count(), 1, 'one figure, not one for each state');
  });

  test('opening a notebook of the project, and saving it, changes nothing in its file', async () => {
    const name = '02-kruskal-curve.ipynb';
    const before = readFileSync(join(root, 'notebooks', name), 'utf8');
    writeFileSync(join(folder, name), before);
    await open(name);
    await page.waitForTimeout(2000);
    assert.equal(await page.locator('.lm-TabBar-tab.jp-mod-dirty, .jp-mod-dirty').count(), 0, 'nothing to save');
    const { mtimeMs } = statSync(join(folder, name));
    await page.keyboard.press('Control+s');
    await until(() => Promise.resolve(statSync(join(folder, name)).mtimeMs > mtimeMs));
    await until(() => Promise.resolve(readFileSync(join(folder, name), 'utf8') === before), 10_000);
  });

  test('a saved notebook shows its plots again without being run', async () => {
    await open('showing.ipynb');
    await menu(page, 'Run', 'Run All Cells');
    await page.getByText('[5]:', { exact: true }).first().waitFor(PATIENCE);
    await page.keyboard.press('Control+s');
    // JupyterLab may be in the middle of writing it: what cannot be parsed yet is not saved yet.
    await until(() =>
      Promise.resolve(cellsOf(join(folder, 'showing.ipynb')).some(({ outputs }) => outputs.length > 0)),
    );
    await page.context().close();
    await open('showing.ipynb');
    // Plotly's extension keeps a picture of each plot in the notebook, and shows that.
    const pictures = output(1).locator('img.plot-img');
    await pictures.first().waitFor(PATIENCE);
    assert.equal(await pictures.count(), 2);
    assert.equal(await output(0).locator('table td').count(), 10);
  });
});
