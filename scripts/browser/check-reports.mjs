/**
 * Opens reports as their readers do and says what is wrong with them: the order (the answer first), buttons that upload, requests
 * to the network, and what does not fit a desktop of 1440 pixels, a phone of 390 or paper.
 *
 *     npm run check-reports [-- 02-kruskal-curve …]
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findNotebooks, reports } from '../notebooks/notebooks.mjs';
import { SetupFailure, isMain, runScript } from '../setup/failure.mjs';
import { launchChromium } from './chromium.mjs';
import { openReport } from './report.mjs';

const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
/** A4 without margins of 15 mm, at 96 pixels per inch. */
const PAPER = { width: 680, height: 1009 };

/** What is wrong with the report, one sentence each; `draft` reports need neither question nor limits. */
export async function reportProblems(browser, html, { draft = false } = {}) {
  const problems = [];
  const own = pathToFileURL(html).href;
  const watch = (page) =>
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && request.url() !== own) problems.push(`asks for ${request.url()}`);
    });
  const look = async (viewport, check, media = 'screen') => {
    const page = await openReport(browser, html, { viewport, colorScheme: 'light' }, watch);
    if (media === 'print') {
      await page.emulateMedia({ media });
      // The event before a browser prints; the figures are drawn again, one after the other.
      await page.evaluate(
        "document.documentElement.removeAttribute('data-drawn'), dispatchEvent(new Event('beforeprint'))",
      );
      await page.waitForSelector('html[data-drawn]');
    }
    const where = `${media === 'print' ? 'on paper' : `at ${viewport.width} pixels`}: `;
    problems.push(...(await page.evaluate(check, viewport)).map((problem) => where + problem));
    await page.context().close();
  };
  await look(DESKTOP, orderProblems);
  await look(DESKTOP, buttonProblems);
  await look(DESKTOP, colourProblems);
  await look(DESKTOP, desktopProblems);
  await look(PHONE, phoneProblems);
  await look(PAPER, paperProblems, 'print');
  return draft ? problems.filter((problem) => !/no \.(question|limits)/.test(problem)) : problems;
}

/* Each of these runs in the page; `document` is the report. */

function orderProblems() {
  const { document } = globalThis;
  const problems = [];
  const wanted = ['h1', '.question', '.headline', 'figure.plot', '.limits'];
  const places = wanted.map((what) => [what, document.querySelector(`.answer > ${what}`)]);
  for (const [what, element] of places) if (element === null) problems.push(`no ${what} in the answer`);
  const present = places.filter(([, element]) => element !== null);
  for (let i = 1; i < present.length; i++) {
    const follows = present[i - 1][1].compareDocumentPosition(present[i][1]) & 4;
    if (!follows) problems.push(`expected ${present[i - 1][0]} before ${present[i][0]}`);
  }
  if (document.querySelectorAll('.answer figure.plot').length > 1) problems.push('more than one figure in the answer');
  const first = document.querySelector('.rest .step > :not(details.code)');
  if (first?.matches('pre.result'))
    problems.push(`the first output is a raw object: ${first.textContent.slice(0, 40)}`);
  for (const [what, selector] of [
    ['Figure', 'figure.plot figcaption.title'],
    ['Table', '.table :is(caption, summary strong)'],
  ]) {
    const titles = [...document.querySelectorAll(selector)].map((title) => title.textContent);
    titles.forEach((title, i) => {
      if (!title.startsWith(`${what} ${i + 1}. `)) problems.push(`expected ‘${what} ${i + 1}. …’, got ‘${title}’`);
    });
  }
  for (const text of document.querySelectorAll(
    'figcaption.title, .note, .attention-note, .said, .headline, caption, th',
  )) {
    const raw = /\b\w_\w+\b/.exec(text.textContent.replace(/\S*[/.]\S*/g, ''));
    const set = text.querySelector('.katex') !== null || text.querySelector('code') !== null;
    if (raw && !set) problems.push(`a symbol that is not set: ${raw[0]}`);
  }
  const footer = document.querySelector('footer').textContent;
  for (const what of ['cite', 'executed notebook', 'JSON', 'All reports', 'Commit'])
    if (!footer.includes(what)) problems.push(`the footer does not say ‘${what}’`);
  return problems;
}

function buttonProblems() {
  const { document } = globalThis;
  const buttons = [...document.querySelectorAll('.modebar-btn')].map(({ dataset }) => dataset.title);
  const problems = buttons
    .filter((title) => /share|cloud|upload|edit/i.test(title))
    .map((title) => `a button ‘${title}’`);
  for (const drawing of document.querySelectorAll('.js-plotly-plot'))
    if (drawing._context.showSendToCloud) problems.push('a figure that may be sent to a server');
  return problems;
}

/** The two colours of the precisions stand for nothing else, and no precision has another colour. */
function colourProblems() {
  const { document } = globalThis;
  const COLOURS = { '#0072b2': 'float32', '#d55e00': 'float64' };
  const problems = [];
  for (const drawing of document.querySelectorAll('.js-plotly-plot')) {
    const { name: figure } = drawing.closest('.plot').dataset;
    for (const { name = '', legendgroup = '', line, marker, showlegend } of drawing.data) {
      const colours = new Set([line?.color, marker?.color].filter((colour) => typeof colour === 'string'));
      for (const colour of colours) {
        const precision = COLOURS[colour.toLowerCase()];
        const said = /float(32|64)/.exec(`${name} ${legendgroup}`)?.[0];
        const legend = showlegend === false ? '' : name;
        if (precision && said && precision !== said) problems.push(`${figure}: ${name} in the colour of ${precision}`);
        if (!precision && /^float(32|64) (features|tolerance)$/.test(legend))
          problems.push(`${figure}: ${name} in ${colour}`);
      }
    }
  }
  return problems;
}

function desktopProblems({ width }) {
  const { document, getComputedStyle } = globalThis;
  const problems = [];
  if (document.documentElement.scrollWidth > width) problems.push('the page scrolls sideways');
  const contents = document.querySelector('.contents');
  if (contents === null) return [...problems, 'no contents'];
  const beside =
    contents.getBoundingClientRect().left >= document.querySelector('.answer').getBoundingClientRect().right;
  if (!beside) problems.push('the contents do not stand beside the text');
  if (getComputedStyle(contents).position !== 'sticky') problems.push('the contents do not stay in sight');
  return problems;
}

function phoneProblems({ width }) {
  const { document, getComputedStyle } = globalThis;
  const problems = [];
  if (document.documentElement.scrollWidth > width) problems.push('the page scrolls sideways');
  for (const drawing of document.querySelectorAll('.js-plotly-plot')) {
    const { name } = drawing.closest('.plot').dataset;
    if (drawing.clientWidth > width) problems.push(`figure ${name} is ${drawing.clientWidth} pixels wide`);
    const axes = Object.entries(drawing._fullLayout).filter(([key]) => /^xaxis\d*$/.test(key));
    if (axes.some(([, { domain }]) => domain[1] - domain[0] < 0.6)) problems.push(`the panels of ${name} do not stack`);
  }
  for (const name of document.querySelectorAll('.table tbody th[scope=row]'))
    if (getComputedStyle(name).position !== 'sticky')
      problems.push(`a first column that does not stick: ${name.textContent}`);
  return problems;
}

function paperProblems({ width, height }) {
  const { document } = globalThis;
  const problems = [];
  if (document.documentElement.scrollWidth > width) problems.push('wider than the paper');
  for (const figure of document.querySelectorAll('figure.plot')) {
    const { name } = figure.dataset;
    const box = figure.getBoundingClientRect();
    if (box.height > height) problems.push(`figure ${name} is ${Math.round(box.height)} pixels high: it is cut`);
    const drawn = figure.querySelector('.main-svg').getBoundingClientRect();
    if (drawn.right > width) problems.push(`figure ${name} is cut at the right`);
  }
  if (document.querySelector('details.long:not([open])')) problems.push('a folded table');
  return problems;
}

if (isMain(import.meta.url)) {
  await runScript(async () => {
    const pages = findNotebooks(process.argv.slice(2)).map((path) => join(reports, `${basename(path, '.ipynb')}.html`));
    const missing = pages.filter((page) => !existsSync(page)).map((page) => basename(page));
    if (missing.length > 0)
      throw new SetupFailure(`expected the reports ${missing.join(', ')}, found none: \`npm start\` makes them`);
    const browser = await launchChromium();
    try {
      for (const page of pages) {
        const problems = await reportProblems(browser, page);
        process.stdout.write(`${basename(page)}: ${problems.length === 0 ? 'good' : problems.join('\n  ')}\n`);
        if (problems.length > 0) process.exitCode = 1;
      }
    } finally {
      await browser.close();
    }
  });
}
