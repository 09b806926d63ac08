/** The parts of a page that are not in the notebook: styles, plotly, formulas, contents, the list of reports. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import katex from 'katex';
import { root } from '../setup/places.mjs';

const require = createRequire(import.meta.url);
const { pages, template } = require('attention-capacity/report/theme');
const { escapeHtml } = require('attention-capacity/report/html');
const { duration } = require('attention-capacity/report/format');

const templates = join(root, 'jupyter', 'templates', 'attention-capacity');
const ownFile = (name) => readFileSync(join(templates, name), 'utf8');

/** Fills the marked places of the template. The page fetches nothing when it is opened. */
export function fillPage(page) {
  const withFormulas = page.replace(
    /<span class="formula"( data-display="true")?>([^<]*)<\/span>/g,
    (_, display, tex) =>
      katex.renderToString(unescapeHtml(tex), {
        displayMode: display !== undefined,
        throwOnError: false,
        output: 'htmlAndMathml',
      }),
  );
  const parts = {
    styles: styles(withFormulas.includes('class="katex')),
    plotly: withFormulas.includes('class="plot"') ? plotly() : '',
    contents: contents(withFormulas),
    script: withFormulas.includes('class="plot"') ? script() : '',
  };
  return withFormulas.replace(/<!-- attention-capacity: (\w+) -->/g, (_, name) => parts[name]);
}

/** The page that lists the reports, one card for each. */
export function indexPage(reports) {
  const cards = reports.map(
    ({ name, title, headlines, figure, run, failed }) => `<li class="card">
<h2><a href="${encodeURIComponent(name)}.html">${escapeHtml(title)}</a></h2>
${failed ? '<p><strong>A cell failed in this run.</strong></p>' : ''}
${headlines.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n')}
${figure ? smallFigure(figure) : ''}
<p class="facts">${facts(run)}</p>
<p class="facts"><a href="${encodeURIComponent(name)}.json">Tables as JSON</a></p>
</li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Attention capacity: reports</title>
${styles(false)}
${plotly()}
</head>
<body>
<main id="main">
<h1>How much attention can memorize</h1>
<p>Measured for <a href="https://arxiv.org/abs/2306.02010">arXiv 2306.02010</a>. Each report is one file that works without a network.</p>
<ul class="cards">
${cards.join('\n')}
</ul>
</main>
${script()}
</body>
</html>
`;
}

function facts({ started, seconds, profile, machine }) {
  if (!started) return 'not run';
  return escapeHtml(`${started.slice(0, 10)}, ${duration(seconds)}, profile ${profile}, ${machine}`);
}

function smallFigure({ spec, alt }) {
  return `<div class="plot" data-small><div class="drawing" data-alt="${escapeHtml(alt)}"></div>
<script type="application/json">${jsonInHtml(spec)}</script></div>`;
}

function styles(withFormulas) {
  const variables = (page) =>
    Object.entries(pages[page])
      .map(([name, colour]) => `--${name}: ${colour};`)
      .join(' ');
  const colours = `:root { ${variables('light')} }\n@media (prefers-color-scheme: dark) { :root { ${variables('dark')} } }`;
  return `<style>\n${colours}\n${ownFile('report.css')}</style>${withFormulas ? `\n<style>${katexStyles()}</style>` : ''}`;
}

/** KaTeX's style sheet, with its fonts embedded. */
function katexStyles() {
  const css = readFileSync(require.resolve('katex/dist/katex.min.css'), 'utf8');
  return css.replace(/src:url\((fonts\/[^)]+\.woff2)\) format\("woff2"\)[^;}]*/g, (_, font) => {
    const bytes = readFileSync(require.resolve(`katex/dist/${font}`));
    return `src:url(data:font/woff2;base64,${bytes.toString('base64')}) format("woff2")`;
  });
}

let packedPlotly;

/** plotly.js, compressed to a quarter of its 10 MB. report.js unpacks it before the first drawing. */
function plotly() {
  packedPlotly ??= gzipSync(readFileSync(require.resolve('plotly.js-dist')), { level: 9 }).toString('base64');
  return `<script id="plotly-library" type="application/gzip">${packedPlotly}</script>`;
}

function script() {
  const both = { light: template('light'), dark: template('dark') };
  return `<script id="plotly-templates" type="application/json">${jsonInHtml(both)}</script>\n<script>\n${ownFile('report.js')}</script>`;
}

/** Links to the sections of a long page. */
function contents(page) {
  const parts = [...page.matchAll(/<h2 id="([^"]+)">([\s\S]*?)<\/h2>/g)];
  if (parts.length < 3) return '';
  const items = parts.map(([, id, heading]) => `<li><a href="#${id}">${heading}</a></li>`);
  return `<nav class="contents" aria-label="Contents"><ul>\n${items.join('\n')}\n</ul></nav>`;
}

function jsonInHtml(value) {
  return JSON.stringify(value).replace(/</g, '\\u003c');
}

function unescapeHtml(text) {
  const names = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#x27;': "'", '&amp;': '&' };
  return text.replace(/&(lt|gt|quot|#39|#x27|amp);/g, (name) => names[name]);
}
