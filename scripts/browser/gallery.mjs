/**
 * Makes the gallery, docs/gallery: a picture of the front page and of one figure of each report, and gallery.md, which shows
 * them with their captions. The reports must exist (`npm start` makes them).
 *
 *     npm run gallery
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findNotebooks, reports } from '../notebooks/notebooks.mjs';
import { SetupFailure, runScript } from '../setup/failure.mjs';
import { root } from '../setup/places.mjs';
import { say } from '../setup/progress.mjs';
import { launchChromium } from './chromium.mjs';
import { openReport } from './report.mjs';

const folder = join(root, 'docs', 'gallery');
const WINDOW = { viewport: { width: 1280, height: 900 }, colorScheme: 'light' };
const LARGEST = 2 ** 20;

/** A picture of one element of the page. */
async function picture(page, selector, file) {
  await page
    .locator(selector)
    .first()
    .screenshot({ path: join(folder, file) });
  const { size } = statSync(join(folder, file));
  if (size > LARGEST) throw new SetupFailure(`${file}: expected at most ${LARGEST} bytes, got ${size}`, 1);
}

async function reportEntry(browser, path) {
  const name = basename(path, '.html');
  // A run that failed may have no figure.
  if (!readFileSync(path, 'utf8').includes('<figure class="plot"')) return [];
  const page = await openReport(browser, path, WINDOW);
  const text = async (selector) =>
    (
      await page.locator(selector).evaluateAll((all) =>
        all.map((element) => {
          const copy = element.cloneNode(true);
          for (const hidden of copy.querySelectorAll('.katex-html, annotation')) hidden.remove();
          return copy.textContent
            .trim()
            .replace(/\u2061/g, '')
            .replace(/\s+/g, ' ');
        }),
      )
    ).join(' ');
  const entry = {
    name,
    title: await text('h1'),
    headline: await text('.headline'),
    alt: await page.locator('.answer .drawing').first().getAttribute('data-alt'),
    run: await page.locator('footer code').first().textContent(),
  };
  // Figure, title and caption, without what can be pressed.
  await page.addStyleTag({ content: '.save, .words { display: none !important } figure.plot { margin: 0 }' });
  await picture(page, '.answer figure.plot', `${name}.png`);
  await page.context().close();
  say(`${name}.png`);
  return [entry];
}

await runScript(async () => {
  const paths = findNotebooks()
    .map((path) => join(reports, `${basename(path, '.ipynb')}.html`))
    .filter(existsSync);
  if (paths.length === 0) throw new SetupFailure('expected reports, found none: `npm start` makes them');
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  const browser = await launchChromium();
  const entries = [];
  try {
    const page = await openReport(browser, join(reports, 'index.html'), WINDOW);
    await page.evaluate("document.querySelector('.marks')?.closest('section').classList.add('pictured')");
    if (await page.locator('.pictured').count()) await picture(page, '.pictured', 'table.png');
    await page.context().close();
    for (const path of paths) entries.push(...(await reportEntry(browser, path)));
  } finally {
    await browser.close();
  }
  const escaped = (text) => text.replace(/[[\]]/g, '\\$&');
  // What a run at the sizes of the tests found means nothing: its pictures show what a page looks like.
  const isTest = ({ run }) => run === 'test';
  const sections = entries.map((entry) => {
    const { name, title, headline, alt, run } = entry;
    const [found, shows] = isTest(entry) ? ['', title] : [`${headline}\n\n`, alt];
    return `## ${title}\n\n${found}![${escaped(shows)}](gallery/${name}.png)\n\nFrom \`reports/${name}.html\`, profile \`${run}\`.\n`;
  });
  if (entries.some((entry) => entry.name === '01-assumptions' && isTest(entry))) rmSync(join(folder, 'table.png'));
  const small = entries.some(isTest)
    ? 'Those of the profile `test` are too small to say anything: they show what a page looks like. '
    : '';
  const table = existsSync(join(folder, 'table.png')) ? '![The paper’s table beside ours](gallery/table.png)\n\n' : '';
  writeFileSync(
    join(root, 'docs', 'gallery.md'),
    `# Gallery\n\nThe first figure of each report. ${small}\`npm run gallery\` made these pictures from the reports.\n\n${table}${sections.join('\n')}`,
  );
});
