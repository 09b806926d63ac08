/** Drives JupyterLab in a browser, for screenshots and tests. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { labCommand } from '../notebooks/lab.mjs';
import { start } from '../setup/children.mjs';

/** For a loaded machine; an idle one is much faster. */
const PATIENCE = { timeout: 180_000 };

/**
 * Starts JupyterLab on `folder`, which must be in the checkout. Returns
 * - `address` and `open(notebook, options)`, a Playwright `Page` with the notebook open and its kernel idle;
 * - `end(page)`, which closes the page and ends all kernels, and `stop()`.
 */
export async function startLab({ browser, folder, environment = {} }) {
  const token = randomUUID();
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const [command, args, settings] = labCommand({
    folder,
    options: ['--no-browser', '--ServerApp.ip=127.0.0.1', `--port=${port}`, '--ServerApp.port_retries=0'],
    environment: { JUPYTER_TOKEN: token, ...environment },
  });
  const lab = start(command, args, { ...settings, stdio: 'ignore' });
  await until(async () => (await fetch(`${address}/api?token=${token}`)).ok);
  return {
    address,
    async open(notebook, { workspace = randomUUID(), ...options } = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
      const page = await context.newPage();
      await page.goto(`${address}/lab/workspaces/${workspace}/tree/${notebook}?token=${token}`);
      await page.locator('.jp-Notebook .jp-Cell').first().waitFor(PATIENCE);
      await idle(page);
      return page;
    },
    async end(page) {
      const sessions = await (await fetch(`${address}/api/sessions?token=${token}`)).json();
      await page?.context().close();
      for (const { id } of sessions) await fetch(`${address}/api/sessions/${id}?token=${token}`, { method: 'DELETE' });
    },
    async stop() {
      const ended = new Promise((done) => lab.once('exit', done));
      lab.kill('SIGTERM');
      await ended;
    },
  };
}

/** Waits until the notebook's kernel has nothing to do. */
export async function idle(page, milliseconds = PATIENCE.timeout) {
  try {
    await page.getByText('TypeScript (attention-capacity) | Idle').waitFor({ timeout: milliseconds });
  } catch (error) {
    const said = await page.locator('#jp-bottom-panel, .jp-Dialog').allInnerTexts();
    throw new Error(`The kernel is not idle after ${milliseconds / 1000} s; JupyterLab says: ${said.join(' / ')}`, {
      cause: error,
    });
  }
}

/** Chooses an item of JupyterLab's menu. */
export async function menu(page, name, item) {
  await page.getByRole('menuitem', { name, exact: true }).click();
  await page.getByRole('menuitem', { name: item }).first().click();
}

/** Waits until a condition holds; while it throws, it does not hold. */
export async function until(condition, milliseconds = PATIENCE.timeout) {
  for (const began = Date.now(); ;) {
    const holds = await Promise.resolve()
      .then(condition)
      .catch(() => false);
    if (holds) return;
    if (Date.now() - began > milliseconds) throw new Error('waited too long');
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}
