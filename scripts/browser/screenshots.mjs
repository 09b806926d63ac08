/**
 * Takes screenshots for a person to check: every report, and the list of reports, on a desktop, in dark mode, on a phone and
 * on paper; and JupyterLab while it runs a notebook and when it is done.
 *
 *     npm run screenshots [-- 02-kruskal-curve …] [--no-lab]
 *
 * They go to reports/screenshots. The reports must exist (`npm start` makes them). JupyterLab runs a copy of the first named
 * notebook, in the profile of ATTENTION_PROFILE, by default `test`.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { findNotebooks, reports } from '../notebooks/notebooks.mjs';
import { SetupFailure, isMain, runScript } from '../setup/failure.mjs';
import { root } from '../setup/places.mjs';
import { say } from '../setup/progress.mjs';
import { launchChromium } from './chromium.mjs';
import { idle, menu, startLab } from './jupyterlab.mjs';
import { openReport } from './report.mjs';

/** Options of the browser's windows. */
const VIEWS = {
  desktop: { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, colorScheme: 'light' },
};
/** The printed page, A4 with margins of 15 mm. */
const PAPER = { format: 'A4', margin: { top: '15mm', bottom: '15mm', left: '15mm', right: '15mm' } };
/** A4 without those margins, at 96 pixels per inch. */
const PAPER_VIEW = { viewport: { width: 680, height: 1009 }, colorScheme: 'light' };

/** Takes pictures of one report and returns their paths. */
export async function pictureReport(browser, report, folder) {
  const name = basename(report, '.html');
  const files = [];
  for (const [view, options] of Object.entries(VIEWS)) {
    const page = await openReport(browser, report, options);
    files.push(join(folder, `${name}-${view}.png`));
    await page.screenshot({ path: files.at(-1), fullPage: true });
    await page.context().close();
  }
  const page = await openReport(browser, report, PAPER_VIEW);
  await page.emulateMedia({ media: 'print' });
  // the event before a browser prints
  await page.evaluate(() => globalThis.dispatchEvent(new globalThis.Event('beforeprint')));
  await page.waitForTimeout(500);
  files.push(join(folder, `${name}-print.png`), join(folder, `${name}-print.pdf`));
  await page.screenshot({ path: files.at(-2), fullPage: true });
  await page.pdf({ path: files.at(-1), ...PAPER });
  await page.context().close();
  return files;
}

/** Takes pictures of JupyterLab: while it works, and of the finished notebook, one screen at a time. */
export async function pictureLab(browser, notebook, folder) {
  // In the checkout, where a kernel finds the library.
  mkdirSync(join(root, '.jupyter'), { recursive: true });
  const copies = mkdtempSync(join(root, '.jupyter', 'screenshots-'));
  cpSync(notebook, join(copies, basename(notebook)));
  const environment = { ATTENTION_PROFILE: process.env.ATTENTION_PROFILE ?? 'test' };
  const files = [];
  let lab;
  try {
    lab = await startLab({ browser, folder: copies, environment });
    const page = await lab.open(basename(notebook));
    const picture = async (what) => {
      files.push(join(folder, `lab-${what}.png`));
      await page.screenshot({ path: files.at(-1) });
    };
    await picture('opened');
    await menu(page, 'Run', 'Run All Cells');
    const bar = page.locator('.jp-Notebook progress').first();
    // Short work shows no bar, and gets no picture.
    if (
      await bar.waitFor({ timeout: 60_000 }).then(
        () => true,
        () => false,
      )
    )
      await picture('working');
    await idle(page, 15 * 60_000);
    const notebookPanel = page.locator('.jp-WindowedPanel-outer').first();
    await notebookPanel.evaluate((panel) => panel.scrollTo(0, 0));
    for (let screen = 1; screen <= 12; screen++) {
      await page.waitForTimeout(700);
      await picture(`done-${screen}`);
      const atEnd = await notebookPanel.evaluate((panel) => {
        const before = panel.scrollTop;
        panel.scrollBy(0, panel.clientHeight * 0.9);
        return panel.scrollTop === before;
      });
      if (atEnd) break;
    }
    await lab.end(page);
  } finally {
    await lab?.stop();
    rmSync(copies, { recursive: true, force: true });
  }
  return files;
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      allowNegative: true,
      options: { lab: { type: 'boolean', default: true } },
    });
    const notebooks = findNotebooks(positionals);
    const pages = notebooks.map((path) => join(reports, `${basename(path, '.ipynb')}.html`)).filter(existsSync);
    if (pages.length === 0) throw new SetupFailure('expected reports, found none: `npm start` makes them');
    const folder = join(reports, 'screenshots');
    mkdirSync(folder, { recursive: true });
    const browser = await launchChromium();
    try {
      for (const page of [join(reports, 'index.html'), ...pages]) {
        await pictureReport(browser, page, folder);
        say(`${basename(page)}: ${Object.keys(VIEWS).join(', ')}, print`);
      }
      if (values.lab) say(`JupyterLab: ${(await pictureLab(browser, notebooks[0], folder)).length} pictures`);
    } finally {
      await browser.close();
    }
    process.stdout.write(`${relative(process.cwd(), folder)}\n`);
  });
}
