/** The parts of a page that are not in the notebook: styles, plotly, formulas, contents, links to other reports. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import katex from 'katex';
import { root } from '../setup/places.mjs';

const require = createRequire(import.meta.url);
const { pages, template } = require('attention-capacity/report/theme');
const { escapeHtml } = require('attention-capacity/report/html');

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
    neighbours: NEIGHBOURS.replace('*', ''),
    citation: citation(),
    script: withFormulas.includes('class="plot"') ? script() : '',
  };
  return withFormulas.replace(/<!-- attention-capacity: (\w+) -->/g, (_, name) => parts[name]);
}

/** Where the links to the reports before and after one stand; they are filled in when it is known which there are. */
const NEIGHBOURS = '<nav class="neighbours" aria-label="Other reports">*</nav>';

/** The page with its links to the reports before and after it, `{name, title}`, where there are any. */
export function withNeighbours(page, previous, next) {
  const link = (report, rel, arrow) =>
    report ? `<a rel="${rel}" href="${encodeURIComponent(report.name)}.html">${arrow(escapeHtml(report.title))}</a>` : '';
  const links = [
    link(previous, 'prev', (title) => `← ${title}`),
    '<a href="index.html">All reports</a>',
    link(next, 'next', (title) => `${title} →`),
  ];
  return page.replace(/<nav class="neighbours"[^>]*>[\s\S]*?<\/nav>/, () =>
    NEIGHBOURS.replace('*', () => links.filter((text) => text !== '').join(' ')),
  );
}

/** How to cite the paper and this software, from CITATION.cff. */
export function citation() {
  const cff = readFileSync(join(root, 'CITATION.cff'), 'utf8');
  const own = /^title: *['"]?(.*?)['"]?$/m.exec(cff)[1];
  return `<p>Please cite Mahdavi, Liao, Thrampoulidis: <cite>Memorization Capacity of Multi-Head Attention in Transformers</cite>, ICLR 2024, <a href="https://arxiv.org/abs/2306.02010">arXiv 2306.02010</a>, and, if it helped, this software: <cite>${escapeHtml(own)}</cite> (CITATION.cff).</p>`;
}

export function styles(withFormulas) {
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
export function plotly() {
  packedPlotly ??= gzipSync(readFileSync(require.resolve('plotly.js-dist')), { level: 9 }).toString('base64');
  return `<script id="plotly-library" type="application/gzip">${packedPlotly}</script>`;
}

export function script() {
  const both = { light: template('light'), dark: template('dark') };
  return `<script id="plotly-templates" type="application/json">${jsonInHtml(both)}</script>\n<script>\n${ownFile('report.js')}</script>`;
}

/** Links to the sections of a long page. */
function contents(page) {
  const parts = [...page.matchAll(/<h2 id="([^"]+)">([\s\S]*?)<\/h2>/g)];
  if (parts.length < 2) return '';
  const items = parts.map(([, id, heading]) => `<li><a href="#${id}">${heading}</a></li>`);
  return `<nav class="contents" aria-label="Contents"><p>On this page</p><ul>\n${items.join('\n')}\n</ul></nav>`;
}

export function jsonInHtml(value) {
  return JSON.stringify(value).replace(/</g, '\\u003c');
}

function unescapeHtml(text) {
  const names = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#x27;': "'", '&amp;': '&' };
  return text.replace(/&(lt|gt|quot|#39|#x27|amp);/g, (name) => names[name]);
}
