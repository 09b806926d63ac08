/**
 * Takes pictures of what people see, to be looked at by people: every report on a desktop, in the dark, on a phone and on
 * paper, the list of reports likewise, and JupyterLab while it runs a notebook and when it is done.
 *
 *     npm run screenshots [-- 02-kruskal-curve …] [--no-lab]
 *
 * They go to reports/screenshots. The reports must have been made (`npm start`); JupyterLab runs a copy of the first
 * notebook that is named, in the profile `test` unless ATTENTION_PROFILE says otherwise.
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

/** How a page is looked at: options of a browser's window. */
const VIEWS = {
  desktop: { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, colorScheme: 'light' },
};
/** The page as a printer gets it, A4 with margins of 15 mm. */
const PAPER = { format: 'A4', margin: { top: '15mm', bottom: '15mm', left: '15mm', right: '15mm' } };
/** A4 less those margins, at 96 pixels to the inch. */
const PAPER_VIEW = { viewport: { width: 680, height: 1009 }, colorScheme: 'light' };

/** Pictures of one report; gives their paths. */
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
  // what a browser says before it prints
  await page.evaluate(() => globalThis.dispatchEvent(new globalThis.Event('beforeprint')));
  await page.waitForTimeout(500);
  files.push(join(folder, `${name}-print.png`), join(folder, `${name}-print.pdf`));
  await page.screenshot({ path: files.at(-2), fullPage: true });
  await page.pdf({ path: files.at(-1), ...PAPER });
  await page.context().close();
  return files;
}

/** Pictures of JupyterLab: work under way, and the notebook run to its end, a screen at a time. */
export async function pictureLab(browser, notebook, folder) {
  // In the checkout, because that is where a kernel finds the library.
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
    // Work that is done before a bar is worth showing has no picture.
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
    if (pages.length === 0) throw new SetupFailure('there is no report to picture yet: `npm start` makes them');
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
