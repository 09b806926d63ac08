/** Opens reports as their readers do: as files, in a browser without a network. */
import { pathToFileURL } from 'node:url';

/** Opens a report in its own window and waits until its figures are drawn. Returns Playwright's `Page`. */
export async function openReport(browser, path, options = {}, whenOpened = () => {}) {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  whenOpened(page);
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector('html[data-drawn]');
  return page;
}
