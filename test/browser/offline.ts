/** What a report asks of the network, says to the console and keeps from people, when it is opened with the network off. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { script } from '../setup/scripts';

export interface OpenedPage {
  readonly page: Page;
  /** What went wrong on the page, and whatever it asked of the network; to be empty. */
  readonly complaints: string[];
}

/** Opens a report and waits until its figures are drawn. */
export async function openOffline(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const { openReport } = await script('browser/report.mjs');
  const complaints: string[] = [];
  const own = pathToFileURL(path).href;
  const page = (await openReport(browser, path, options, (opened: Page) => {
    opened.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    opened.on('pageerror', (error) => complaints.push(error.message));
    opened.on('request', (request) => {
      if (!request.url().startsWith('data:') && request.url() !== own) complaints.push(`asks for ${request.url()}`);
    });
  })) as Page;
  return { page, complaints };
}

/** What stands in the way of people who use assistive technology, as axe-core finds it: rule and element. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] };
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
