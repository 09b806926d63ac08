/** A report as its reader gets it: a file, opened in a browser with the network off. */
import { pathToFileURL } from 'node:url';

/** Opens a report in a window of its own and waits until its figures are drawn. Gives Playwright's `Page`. */
export async function openReport(browser, path, options = {}, whenOpened = () => {}) {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  whenOpened(page);
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector('html[data-drawn]');
  return page;
}
