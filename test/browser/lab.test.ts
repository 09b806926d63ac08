/** JupyterLab as a person uses it: open, run all, look, interrupt, save, open again. */
import assert from 'node:assert/strict';
import { type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { launchChromium } from './chromium';

const root = resolve(__dirname, '../../..');
/** A loaded machine is slow; nobody waits this long on an idle one. */
const PATIENCE = { timeout: 60_000 };

describe('JupyterLab', () => {
  // In the checkout, because that is where a kernel finds the library.
  mkdirSync(join(root, '.jupyter'), { recursive: true });
  const folder = mkdtempSync(join(root, '.jupyter', 'test-'));
  const token = randomUUID();
  let lab: ChildProcess;
  let address: string;
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];

  before(async () => {
    cpSync(join(root, 'test', 'notebooks', 'fixtures'), folder, { recursive: true });
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    const { spawnLab } = await import(pathToFileURL(join(root, 'scripts', 'lab.mjs')).href);
    lab = spawnLab({
      folder,
      options: ['--no-browser', '--ServerApp.ip=127.0.0.1', `--port=${port}`, '--ServerApp.port_retries=0'],
      environment: { JUPYTER_TOKEN: token },
      stdio: 'ignore',
    });
    browser = await launchChromium();
    await until(async () => (await fetch(`${address}/api?token=${token}`)).ok);
  });
  after(async () => {
    await browser?.close();
    const ended = new Promise((done) => lab.once('exit', done));
    lab.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    // Each test has its own workspace, and its kernels end with it.
    const kernels = (await (await fetch(`${address}/api/sessions?token=${token}`)).json()) as { id: string }[];
    await page?.context().close();
    for (const { id } of kernels) await fetch(`${address}/api/sessions/${id}?token=${token}`, { method: 'DELETE' });
  });

  async function open(notebook: string): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 1000 } });
    page = await context.newPage();
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(`${address}/lab/workspaces/${randomUUID()}/tree/${notebook}?token=${token}`);
    await page.locator('.jp-Notebook .jp-Cell').first().waitFor(PATIENCE);
    await page.getByText('TypeScript (attention-capacity) | Idle').waitFor(PATIENCE);
  }
  async function menu(name: string, item: string): Promise<void> {
    await page.getByRole('menuitem', { name, exact: true }).click();
    await page.getByRole('menuitem', { name: item }).first().click();
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
    await menu('Run', 'Run All Cells');
    const bar = output(2).locator('progress');
    await bar.waitFor(PATIENCE);
    const first = await bar.getAttribute('value');
    await until(async () => (await bar.count()) === 0 || (await bar.getAttribute('value')) !== first);
    await page.getByText('[5]:', { exact: true }).first().waitFor(PATIENCE);
    for (let i = 0; i < 5; i++) assert.equal(await prompt(i).textContent(), `[${i + 1}]:`);
    assert.equal(await bar.count(), 0);

    assert.equal(await output(0).locator('table td').count(), 10);
    assert.match((await output(0).textContent())!, /random <b>embeddings<\/b> & "more"/);
    const plots = output(1).locator('.js-plotly-plot');
    assert.equal(await plots.count(), 2);
    for (const plot of await plots.all()) {
      const point = plot.locator('.point').nth(5);
      await point.scrollIntoViewIfNeeded();
      await point.hover({ force: true });
      await plot.locator('.hoverlayer .hovertext').first().waitFor(PATIENCE);
    }
    assert.match((await output(3).textContent())!, /It was done/);
    assert.deepEqual(
      requests.filter((url) => /^https?:/.test(url) && !url.startsWith(address)),
      [],
      'nothing is asked of the network',
    );
  });

  test('an error shows the line in the cell, and what follows does not run', async () => {
    await open('failing.ipynb');
    await menu('Run', 'Run All Cells');
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
  });

  test('an interrupt stops a long cell within two seconds, and the kernel goes on', async () => {
    await open('showing.ipynb');
    await menu('Run', 'Run All Cells');
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

  test('a saved notebook shows its plots again without being run', async () => {
    await open('showing.ipynb');
    await menu('Run', 'Run All Cells');
    await page.getByText('[5]:', { exact: true }).first().waitFor(PATIENCE);
    await page.keyboard.press('Control+s');
    const saved = () =>
      JSON.parse(readFileSync(join(folder, 'showing.ipynb'), 'utf8')).cells as { outputs?: object[] }[];
    // JupyterLab may be in the middle of writing it: what cannot be parsed yet is not saved yet.
    await until(() => Promise.resolve(saved().some(({ outputs }) => (outputs ?? []).length > 0)));
    await page.context().close();
    await open('showing.ipynb');
    // What is out of sight is not drawn yet.
    await cell(2).scrollIntoViewIfNeeded();
    // Plotly's extension keeps a picture of each plot in the notebook, and shows that.
    const pictures = output(1).locator('img.plot-img');
    await pictures.first().waitFor(PATIENCE);
    assert.equal(await pictures.count(), 2);
    assert.equal(await output(0).locator('table td').count(), 10);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const began = Date.now(); ;) {
    if (
      await Promise.resolve()
        .then(condition)
        .catch(() => false)
    )
      return;
    if (Date.now() - began > PATIENCE.timeout) throw new Error('waited too long');
    await new Promise((done) => setTimeout(done, 50));
  }
}
