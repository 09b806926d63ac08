/** A report as its reader gets it: a file, opened in a browser with the network off. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

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
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const own = pathToFileURL(path).href;
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && request.url() !== own) complaints.push(`asks for ${request.url()}`);
  });
  await page.goto(own);
  await page.waitForSelector('html[data-drawn]');
  return { page, complaints };
}

/** What stands in the way of people who use assistive technology, as axe-core finds it: rule and element. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const found = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: { html: string }[] }[] };
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
