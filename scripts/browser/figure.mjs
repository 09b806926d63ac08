/**
 * Writes a figure of a report to a file for a paper: PDF or SVG, which are sharp at any size and keep their text, or PNG.
 *
 *     npm run report -- --figure 02-kruskal-curve/kruskal-curve --out curve.pdf [--width 720] [--height 480] [--scale 3]
 *
 * Width and height are in CSS pixels, 96 per inch; a PNG has `scale` pixels for each of them. The figure is drawn as in the
 * report on a white page, but without the title, because papers have their own captions.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { reports } from '../notebooks/notebooks.mjs';
import { SetupFailure } from '../setup/failure.mjs';
import { launchChromium } from './chromium.mjs';
import { openReport } from './report.mjs';

const FORMATS = ['pdf', 'svg', 'png'];
/** 7.5 inches: the width of a page of most journals. */
const WIDTH = 720;
/** The height of a figure that names none. */
const HEIGHT = 450;

/**
 * Writes one figure to `out` and returns the path.
 *
 * @param figure `<notebook>/<name>` or `<notebook>/<number>`, counted from 1 in the order of the report
 * @param options sizes as texts or numbers; `folder` holds the reports
 */
export async function exportFigure(figure, out, { width = WIDTH, height, scale = 3, folder = reports } = {}) {
  const format = extname(out).slice(1).toLowerCase();
  if (!FORMATS.includes(format))
    throw new SetupFailure(`--out expects a name that ends in .pdf, .svg or .png, got '${out}'`);
  const size = {
    width: positive('--width', width),
    height: height === undefined ? undefined : positive('--height', height),
    scale: positive('--scale', scale),
  };
  const [notebook, name, ...rest] = figure.split('/');
  if (!name || rest.length > 0)
    throw new SetupFailure(`--figure expects NOTEBOOK/FIGURE, such as 02-kruskal-curve/1, got '${figure}'`);
  const report = join(folder, `${notebook}.html`);
  if (!existsSync(report))
    throw new SetupFailure(
      `--figure expects a notebook with a report, got '${notebook}': \`npm start -- ${notebook}\` makes the report`,
    );

  const browser = await launchChromium();
  try {
    const page = await openReport(browser, report, { colorScheme: 'light', viewport: { width: 1200, height: 900 } });
    const names = await page.locator('figure.plot').evaluateAll((all) => all.map(({ dataset }) => dataset.name));
    const index = /^\d+$/.test(name) ? Number(name) - 1 : names.indexOf(name);
    if (!(index in names))
      throw new SetupFailure(
        `--figure expects a figure of ${notebook} (${names.join(', ') || 'which has none'}), got '${name}'`,
      );
    write(resolve(out), await image(page, index, format, size));
  } finally {
    await browser.close();
  }
  return resolve(out);
}

/** The bytes of the file. */
async function image(page, index, format, { width, height, scale }) {
  // Exports the drawing itself, from which the report has removed the title and the page's background.
  const { address, tall } = await page
    .locator('figure.plot .drawing')
    .nth(index)
    .evaluate(
      async (drawing, { type, wide, high, dense, usual }) => {
        const tall = high ?? drawing.layout.height ?? usual;
        const options = { format: type, width: wide, height: tall, scale: type === 'png' ? dense : 1 };
        return { address: await globalThis.Plotly.toImage(drawing, options), tall };
      },
      { type: format === 'png' ? 'png' : 'svg', wide: width, high: height, dense: scale, usual: HEIGHT },
    );
  if (format === 'png') return Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');
  const svg = decodeURIComponent(address.slice(address.indexOf(',') + 1));
  if (format === 'svg') return Buffer.from(svg);
  await page.setContent(
    `<style>@page { size: ${width}px ${tall}px; margin: 0 } body { margin: 0 } svg { display: block }</style>${svg}`,
  );
  return page.pdf({ preferCSSPageSize: true, printBackground: true });
}

function positive(option, text) {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new SetupFailure(`${option} expects a positive number, got '${text}'`);
}

/** Writes the whole file or leaves the old one. */
function write(path, bytes) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}
