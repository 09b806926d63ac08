/** Notebooks run unattended and their pages opened from disk, with the network off, in a real browser. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { root, script } from '../setup/scripts';
import { launchChromium } from './chromium';
import { barriers, openOffline } from './offline';

const fixture = (name: string) => join(root, 'test', 'notebooks', 'fixtures', `${name}.ipynb`);

interface Output {
  output_type: string;
  data?: Record<string, unknown>;
  ename?: string;
}
interface Cell {
  cell_type: string;
  execution_count?: number | null;
  outputs?: Output[];
}
interface RunEvent {
  cell?: number;
  cells?: number;
  progress?: { label: string; done: number; total: number }[];
  error?: { cell: number; name: string; traceback: string[] };
}

describe('reports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reports-'));
  const events: RunEvent[] = [];
  let browser: Browser;
  let made: { name: string; headlines: string[]; html: string; json: string; failed: boolean }[];

  const codeCells = (path: string) =>
    (JSON.parse(readFileSync(path, 'utf8')) as { cells: Cell[] }).cells.filter((cell) => cell.cell_type === 'code');

  before(async () => {
    const { executeNotebook } = await script('notebooks/notebooks.mjs');
    const listener = { event: (event: RunEvent) => events.push(event), end: () => undefined };
    const shown = await executeNotebook(fixture('showing'), { output: join(folder, 'showing.ipynb'), listener });
    assert.equal(shown.failed, false, JSON.stringify(events.filter(({ error }) => error)));
    const { makeReports } = await script('reports/make-reports.mjs');
    made = await makeReports({ folder });
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (path: string, options?: BrowserContextOptions) => openOffline(browser, path, options);

  test('a run numbers its cells, tells how far it is and leaves no progress behind', () => {
    const cells = codeCells(join(folder, 'showing.ipynb'));
    assert.deepEqual(
      cells.map((cell) => cell.execution_count),
      cells.map((_, i) => i + 1),
    );
    assert.deepEqual(
      events.filter(({ cell }) => cell).map(({ cell, cells: all }) => [cell, all]),
      cells.map((_, i) => [i + 1, cells.length]),
    );
    const moves = events.flatMap(({ progress }) => progress ?? []);
    assert.ok(moves.length > 0 && moves.every(({ label, total }) => label === 'counting' && total === 60));
    const work = cells[2].outputs!;
    assert.deepEqual(
      work.map(({ output_type: type }) => type),
      ['execute_result'],
      'only the value is left',
    );
  });

  test('a cell that fails ends the run and is named; with errors allowed no cell is left out', async () => {
    const { executeNotebook } = await script('notebooks/notebooks.mjs');
    const seen: RunEvent[] = [];
    const listener = { event: (event: RunEvent) => seen.push(event), end: () => undefined };
    const output = join(folder, 'unlisted', 'failing.ipynb');
    const first = await executeNotebook(fixture('failing'), { output, listener });
    assert.equal(first.failed, true);
    const [failure, ...others] = seen.flatMap(({ error }) => error ?? []);
    assert.deepEqual([failure.cell, failure.name, others.length], [2, 'RangeError', 0]);
    assert.deepEqual(
      codeCells(output).map((cell) => cell.execution_count),
      [1, 2, null, null, null, null, null],
    );

    await executeNotebook(fixture('failing'), { output, listener, allowErrors: true });
    const cells = codeCells(output);
    assert.deepEqual(
      cells.map((cell) => cell.execution_count),
      [1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(
      cells.map(({ outputs }) => outputs!.map((each) => each.ename ?? each.data!['text/plain']).join()),
      ['', 'RangeError', '42', 'Error', 'Error', 'TypeScript', "'the end'"],
    );
  });

  test('the rows of every table lie beside the report', () => {
    const { tables, headlines } = JSON.parse(readFileSync(made[0].json, 'utf8'));
    assert.deepEqual(Object.keys(tables), ['ranks']);
    assert.deepEqual(tables.ranks[1], {
      layer: 'random attention',
      k: 197,
      fraction: 0.9998,
      interval: [0.9989, 1],
      seconds: 250,
      holds: true,
    });
    assert.deepEqual(headlines, ['Two of two things were shown.']);
    assert.deepEqual(
      made.map(({ name, headlines: told, failed }) => [name, told, failed]),
      [['showing', headlines, false]],
    );
  });

  test('offline, every plot and formula is there and nothing is asked of the network', async () => {
    const { page, complaints } = await open(made[0].html);
    const plots = await page.locator('figure.plot').count();
    assert.equal(plots, 2);
    assert.equal(await page.locator('html').getAttribute('data-drawn'), '2');
    const lines = await page
      .locator('figure.plot .main-svg .scatterlayer path.js-line')
      .evaluateAll((paths) => paths.map((path) => path.getAttribute('d')!.length));
    assert.equal(lines.length, 2);
    assert.ok(lines.every((length) => length > 20));
    assert.equal(await page.locator('figure.plot svg[role=img][aria-label^="A line that rises"]').count(), 2);
    assert.equal(await page.locator('.katex-mathml math').count(), 3);
    assert.equal(await page.locator('.formula, .katex-error').count(), 0);
    assert.ok(await page.evaluate('document.fonts.ready.then(() => document.fonts.check("16px KaTeX_Main"))'));
    assert.equal(await page.locator('.table table td, .table table th').count(), 18);
    assert.equal(await page.locator('th >> text=random <b>embeddings</b>').count(), 1, 'cells are text, not HTML');
    await page.locator('figure.plot .nsewdrag').first().hover();
    await page.waitForSelector('.hoverlayer .hovertext', { timeout: 5000 });
    assert.deepEqual(complaints, []);
  });

  test('it is accessible, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const path of [made[0].html, join(folder, 'index.html')]) {
        const { page } = await open(path, { colorScheme });
        assert.deepEqual(await barriers(page), []);
      }
    }
  });

  test('figures follow the page into the dark', async () => {
    const { page } = await open(made[0].html, { colorScheme: 'light' });
    const drawing = "getComputedStyle(document.querySelector('figure.plot .main-svg')).backgroundColor";
    const background = () => page.evaluate(drawing);
    assert.equal(await background(), 'rgb(255, 255, 255)');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForFunction(`${drawing} !== 'rgb(255, 255, 255)'`);
    assert.equal(await background(), await page.evaluate('getComputedStyle(document.documentElement).backgroundColor'));
  });

  test('it can be read on a phone and printed', async () => {
    const { page } = await open(made[0].html, { viewport: { width: 360, height: 740 } });
    assert.ok(
      ((await page.evaluate('document.documentElement.scrollWidth')) as number) <= 360,
      'the page does not scroll sideways',
    );
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.save:visible').count(), 0);
    const pdf = await page.pdf({ format: 'A4' });
    assert.ok(pdf.length > 20_000);
  });

  test('tables are saved as CSV, figures as SVG', async () => {
    const { page } = await open(made[0].html);
    const save = async (what: string) => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator(what).first().click()]);
      return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
    };
    const csv = await save('text=Save as CSV');
    assert.equal(csv.name, 'showing-ranks.csv');
    assert.deepEqual(csv.text.split('\n'), [
      'layer,k,fraction,interval low,interval high,seconds,holds',
      '"random <b>embeddings</b> & ""more""",197,0,0,0.0007,12.25,false',
      'random attention,197,0.9998,0.9989,1,250,true',
      '',
    ]);
    const svg = await save('text=Save as SVG');
    assert.equal(svg.name, 'linear.svg');
    assert.match(svg.text, /^<svg [\s\S]*<\/svg>$/);
    assert.match(svg.text, /<title[^>]*>Figure 1\. k to the power of 1<\/title><desc[^>]*>A line that rises/);
    const drawn = (await page.evaluate(
      `[...new DOMParser().parseFromString(${JSON.stringify(svg.text)}, 'image/svg+xml').querySelectorAll('text')].map((text) => text.textContent).join('\\n')`,
    )) as string;
    assert.match(drawn, /Figure 1\. k to the power of 1/, 'its title');
    assert.match(drawn, /The 1 is the fixture's|The 1 is the fixture’s/, 'and its caption');
  });

  test('the answer stands first, nothing uploads, and it fits a desktop, a phone and paper', async () => {
    const { reportProblems } = await script('browser/check-reports.mjs');
    assert.deepEqual(await reportProblems(browser, made[0].html, { draft: true }), []);
  });

  test('a figure becomes a PDF of vectors and text, an SVG, or a PNG of the size that was asked for', async () => {
    const { exportFigure } = await script('browser/figure.mjs');
    const size = { width: 480, height: 360, folder };
    const written = async (figure: string, out: string, options: object) =>
      readFileSync((await exportFigure(figure, join(folder, out), options)) as string);

    const pdf = (await written('showing/linear', 'linear.pdf', size)).toString('latin1');
    assert.equal(pdf.match(/\/Type ?\/Page\b/g)?.length, 1);
    assert.match(pdf, /\/MediaBox ?\[0 0 360 270\]/, '480 by 360 CSS pixels are 5 by 3.75 inches of 72 points');
    assert.match(pdf, /\/FontFile2/, 'its font is inside');
    assert.doesNotMatch(pdf, /\/Subtype ?\/Image/);
    const [drawing] = contentStreams(pdf).sort((a, b) => b.length - a.length);
    assert.ok((drawing.match(/ l$/gm) ?? []).length > 10, 'lines');
    assert.ok((drawing.match(/^BT$/gm) ?? []).length > 10, 'numbers at the ticks');

    const png = await written('showing/2', 'square.png', { ...size, scale: 2 });
    assert.deepEqual([png.subarray(1, 4).toString(), png.readUInt32BE(16), png.readUInt32BE(20)], ['PNG', 960, 720]);
    assert.match(
      (await written('showing/2', 'square.svg', size)).toString(),
      /^<svg [^>]*width="480" height="360"[\s\S]*<\/svg>$/,
    );

    const refused = (figure: string, out: string, options: object) =>
      assert.rejects(
        exportFigure(figure, join(folder, out), { folder, ...options }) as Promise<string>,
        (error: Error) => {
          assert.match(
            error.message,
            /linear, square|\.pdf, \.svg or \.png|--width|a notebook with a report, got 'nothing'|NOTEBOOK\/FIGURE/,
          );
          return !existsSync(join(folder, out));
        },
      );
    await refused('showing/cubic', 'none.pdf', {});
    await refused('showing/3', 'none.pdf', {});
    await refused('showing', 'none.pdf', {});
    await refused('nothing/1', 'none.pdf', {});
    await refused('showing/1', 'none.jpeg', {});
    await refused('showing/1', 'none.pdf', { width: 'wide' });
  });

  test('a site has the pages and all that they link to, and nothing of what else lies beside the reports', async () => {
    const { writeSite } = await script('reports/site.mjs');
    const site = join(folder, 'site');
    assert.equal(writeSite(made, site), site);
    assert.deepEqual(readdirSync(site).sort(), [
      '.nojekyll',
      'index.html',
      'showing.html',
      'showing.ipynb',
      'showing.json',
    ]);
    for (const file of ['index.html', 'showing.html']) {
      const page = readFileSync(join(site, file), 'utf8');
      const links = [...page.matchAll(/href="(?!#|data:|https:)([^"]+)"/g)].map(([, to]) => to);
      assert.ok(links.length > 0);
      assert.deepEqual(
        links.filter((to) => !existsSync(join(site, to))),
        [],
        file,
      );
    }
    assert.throws(() => writeSite(made, folder), /--site expects a folder of its own/);
  });

  test('the front page has a card for each report', async () => {
    const { page, complaints } = await open(join(folder, 'index.html'));
    const card = page.locator('.card');
    assert.equal(await card.count(), 1);
    assert.match((await card.textContent())!, /Two of two things were shown\.[\s\S]*profile/);
    assert.equal((await card.locator('.main-svg').count()) > 0, true);
    assert.deepEqual(complaints, []);
    await card.locator('h3 a').click();
    assert.equal(await page.locator('h1').textContent(), 'What a page can show');
  });
});

/** The unpacked streams of a PDF that are text: pages, and not fonts. */
function contentStreams(pdf: string): string[] {
  return [...pdf.matchAll(/\/FlateDecode[^>]*>>\s*stream\r?\n([\s\S]*?)\r?\nendstream/g)]
    .map(([, packed]) => inflateSync(Buffer.from(packed, 'latin1')).toString('latin1'))
    .filter((text) => /^BT$/m.test(text));
}
