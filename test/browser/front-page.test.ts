/** The front page: the paper's marks beside ours, findings with their evidence, a card for each report. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { script } from '../setup/scripts';
import { launchChromium } from './chromium';
import { barriers, openOffline } from './offline';

const row = (
  system: string,
  statement: string,
  precision: string,
  satisfied: number,
  refuted: boolean,
  ci95 = [satisfied / 1000, satisfied / 1000],
) => ({
  system,
  statement,
  images: 'photos',
  precision,
  k: 197,
  draws: 1000,
  satisfied,
  fraction: satisfied / 1000,
  refuted,
  ci95,
});
const figure = {
  spec: {
    data: [{ type: 'scatter', y: [0, 1] }],
    layout: { meta: { caption: 0 } },
    config: { showSendToCloud: false },
  },
  alt: 'A line that rises.',
};
const report = (name: string, tables: object = {}) => ({
  name,
  title: `The report ${name}`,
  headlines: [`What ${name} found.`],
  tables,
  figure,
  run: {},
  failed: false,
});
const reports = [
  report('01-assumptions', {
    systems: [{ name: 'random-attention', title: 'random attention' }],
    assumptions: [
      row('random-attention', 'general-position', 'float32', 0, true),
      row('random-attention', 'general-position', 'float64', 997, true),
      row('random-attention', 'A1', 'float32', 760, true),
      row('random-attention', 'A1', 'float64', 1000, false),
      row('random-attention', 'A3', 'float32', 1000, false),
      row('random-attention', 'A3', 'float64', 995, true, [0.98, 0.999]),
      { ...row('random-attention', 'A1', 'float32', 0, true), images: 'cifar10' },
    ],
  }),
  report('03-precision'),
  report('07-theorem'),
];

describe('the front page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'front-page-'));
  const path = join(folder, 'index.html');
  let browser: Browser;
  before(async () => {
    const { frontPage } = await script('reports/front-page.mjs');
    writeFileSync(path, frontPage(reports) as string);
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('has the marks of the paper and ours, each with its share where it is neither 0 nor 1', async () => {
    const { page, complaints } = await openOffline(browser, path);
    assert.deepEqual(await page.locator('.marks tbody th').allTextContents(), ['random attention']);
    assert.deepEqual(
      (await page.locator('.marks td').allTextContents()).map((cell) => cell.trim()),
      // The paper (failing, satisfied, satisfied, not tested), then float32 and float64 of each statement.
      ['✗', '✗', '✓* 0.9970', '✓', '✗ 0.7600', '✓', '✓', '–', '–', '–', '✓', '? 0.9950'],
    );
    assert.match(
      (await page.locator('.headline').first().textContent())!,
      /float32’s tolerance 1 of 2 of the paper’s marks/,
    );
    for (const word of ['Kruskal rank', 'General position', 'Tolerance'])
      assert.equal(await page.locator('dl.words dt', { hasText: word }).count(), 1);
    assert.deepEqual(complaints, []);
  });

  test('answers its questions with a figure and evidence, then lists all reports', async () => {
    const { page } = await openOffline(browser, path);
    assert.equal(await page.locator('.finding').count(), 2, 'of the reports that there are');
    for (const finding of await page.locator('.finding').all()) {
      assert.equal(await finding.locator('.main-svg[role=img]').count(), 1);
      assert.deepEqual(
        (await finding.locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href')!.slice(2)))).map(
          (name) => name.replace(/^.*\./, ''),
        ),
        ['html', 'json', 'ipynb'],
      );
    }
    assert.equal(await page.locator('.card').count(), 3);
    assert.equal(await page.locator('.modebar-btn').count(), 0);
    assert.deepEqual(await barriers(page), []);
  });

  test('fits a desktop and a phone', async () => {
    for (const width of [1440, 390]) {
      const { page } = await openOffline(browser, path, { viewport: { width, height: 844 } });
      assert.ok(((await page.evaluate('document.documentElement.scrollWidth')) as number) <= width, `${width}`);
    }
  });
});
