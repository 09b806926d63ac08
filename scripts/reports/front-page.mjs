/** The front page, `index.html`: the paper's table and ours, three findings with their evidence, a card for each report. */
import { createRequire } from 'node:module';
import { citation, jsonInHtml, plotly, script, styles } from './page.mjs';

const require = createRequire(import.meta.url);
const { duration, formatCell } = require('attention-capacity/report/format');
const { escapeHtml, inHtml } = require('attention-capacity/report/symbols');
const { PAPER_MARK, paperFinding, paperMark } = require('attention-capacity/experiments/paper');

const STATEMENTS = [
  ['general-position', 'General position', 'every d queries are independent'],
  ['A1', 'Assumption 1', 'every n queries are independent'],
  ['A2', 'Assumption 2', 'every context has rank n'],
  ['A3', 'Assumption 3', 'as 1, context mean added'],
];

/** One line for each word that the table needs. */
const WORDS = [
  ['Kruskal rank', 'the largest k such that every k of the vectors are linearly independent.'],
  ['General position', 'the Kruskal rank is d, the most that vectors of d numbers can have.'],
  [
    'Tolerance',
    'a singular value counts as zero below max(k, d) · ε times the largest; ε is 2⁻²³ in float32 and 2⁻⁵² in float64.',
  ],
];

/** Questions that reports answer first: their headline is the answer, their figure and tables the evidence. */
const QUESTIONS = [
  ['03-precision', 'Is general position violated, or does float32 only make it look so?'],
  ['10-your-features', 'What do random subsets miss that a search finds?'],
  ['07-theorem', 'How much does a layer memorize before any training?'],
];

/** The page for these reports, as makeReports reads them. */
export function frontPage(reports) {
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
<p class="prose">The assumptions and theorem of <a href="https://arxiv.org/abs/2306.02010">Mahdavi, Liao, Thrampoulidis (ICLR 2024)</a>, measured again in float32, as in the paper, and in float64. Each report is one file that works without a network.</p>
${paperTable(reports)}
${questions(reports)}
<h2>All reports</h2>
<ul class="cards">
${reports.map(card).join('\n')}
</ul>
</main>
<footer>${citation()}</footer>
${script()}
</body>
</html>
`;
}

/** The paper's marks beside ours, a row for each system. Empty where the first notebook has not run. */
function paperTable(reports) {
  const report = reports.find(({ tables }) => tables.assumptions?.[0]?.statement in Object.fromEntries(STATEMENTS));
  if (report === undefined) return '';
  const titles = Object.fromEntries((report.tables.systems ?? []).map(({ name, title }) => [name, title]));
  const [{ images }] = report.tables.assumptions;
  const own = report.tables.assumptions.filter((row) => row.images === images);
  const systems = [...new Set(own.map(({ system }) => system))];
  const find = (system, statement, precision) =>
    own.find((row) => row.system === system && row.statement === statement && row.precision === precision);
  const compared = own.flatMap((row) => {
    const paper = row.precision === 'float32' && paperFinding(row.system, row.statement);
    return paper ? [paperMark(row) === (paper.satisfied ? 'holds' : 'fails')] : [];
  });
  const rows = systems.map((system) => {
    const cells = STATEMENTS.flatMap(([statement]) => [
      paperCell(paperFinding(system, statement)),
      ...['float32', 'float64'].map((precision) => ownCell(find(system, statement, precision))),
    ]);
    return `<tr><th scope="row">${escapeHtml(titles[system] ?? system)}</th>${cells.join('')}</tr>`;
  });
  const heads = STATEMENTS.map(
    ([, name, says]) => `<th colspan="3" scope="colgroup">${name}<br><small>${inHtml(says)}</small></th>`,
  );
  const open = own.some((row) => paperMark(row) === 'undecided');
  const refuted = own.some((row) => row.refuted && paperMark(row) === 'holds');
  return `<section>
<h2>The paper’s table</h2>
<p class="headline">At float32’s tolerance ${compared.filter(Boolean).length} of ${compared.length} of the paper’s marks come out the same.</p>
<div class="wide" tabindex="0" role="region" aria-label="The paper’s table">
<table class="marks">
<thead><tr><th rowspan="2" scope="col">Layer</th>${heads.join('')}</tr>
<tr>${STATEMENTS.map(() => '<th scope="col">paper</th><th scope="col">float32</th><th scope="col">float64</th>').join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</div>
<p class="note">✓: at least ${PAPER_MARK} of the random subsets are independent, the paper’s rule; shares that are neither 0 nor 1 stand beside it. ${open ? `?: the 95 % interval of the share holds ${PAPER_MARK}. ` : ''}${refuted ? '✓*: and yet one of them is a counter-example. ' : ''}–: not in the paper. ${escapeHtml(sample(own, images))} The paper’s last row is a ViT-B/16. <a href="${encodeURIComponent(report.name)}.html">Shares, ranks and margins</a>.</p>
<dl class="words">
${WORDS.map(([word, says]) => `<div><dt>${word}</dt><dd>${inHtml(says)}</dd></div>`).join('\n')}
</dl>
</section>`;
}

function sample(rows, images) {
  const draws = rows.filter(({ statement }) => statement !== 'A2').map((row) => row.draws);
  const counts = [...new Set(draws)].map((count) => formatCell(count, 'integer'));
  return `Ours: ${images}, ${counts.join(' or ')} random subsets for each share.`;
}

function paperCell(finding) {
  if (finding === null) return '<td>–</td>';
  return markCell(finding.satisfied ? 'holds' : 'fails', finding.fraction, false, 'the paper');
}

function ownCell(row) {
  if (row === undefined) return '<td>–</td>';
  const { fraction, refuted, satisfied, draws, ci95, precision } = row;
  const interval = ci95 ? `, 95 %: ${formatCell(ci95, 'fraction')}` : '';
  const mark = paperMark(row);
  return markCell(mark, fraction, mark === 'holds' && refuted, `${precision}: ${satisfied} of ${draws}${interval}`);
}

const MARKS = { holds: '✓', fails: '✗', undecided: '?' };

function markCell(mark, fraction, refuted, about) {
  const share = fraction === null || fraction === 0 || fraction === 1 ? '' : ` <small>${formatCell(fraction, 'fraction')}</small>`;
  return `<td class="${mark}" title="${escapeHtml(about)}">${MARKS[mark]}${refuted ? '*' : ''}${share}</td>`;
}

function questions(reports) {
  const answered = QUESTIONS.flatMap(([name, question]) => {
    const report = reports.find((one) => one.name === name && one.headlines.length > 0);
    return report ? [{ ...report, question }] : [];
  });
  if (answered.length === 0) return '';
  const parts = answered.map(({ name, title, question, headlines, figure, run }) => {
    const address = encodeURIComponent(name);
    return `<section class="finding" aria-label="${escapeHtml(question)}">
<h3>${escapeHtml(question)}</h3>
${headlines.map((text) => `<p class="headline">${inHtml(text)}</p>`).join('\n')}
${figure ? drawing(figure, 'front') : ''}
<p class="note">Evidence: <a href="${address}.html">${escapeHtml(title)}</a>, <a href="${address}.json">its tables as JSON</a>, <a href="${address}.ipynb">the executed notebook</a>; ${facts(run)}.</p>
</section>`;
  });
  return `<h2>Three new findings</h2>\n${parts.join('\n')}`;
}

function card({ name, title, headlines, figure, run, failed }) {
  const address = encodeURIComponent(name);
  return `<li class="card">
<h3><a href="${address}.html">${escapeHtml(title)}</a></h3>
${failed ? '<p><strong>A cell failed in this run.</strong></p>' : ''}
${headlines.map((text) => `<p>${inHtml(text)}</p>`).join('\n')}
${figure ? drawing(figure, 'small') : ''}
<p class="facts">${facts(run)}</p>
<p class="facts"><a href="${address}.json">Tables as JSON</a></p>
</li>`;
}

function facts({ started, seconds, profile, machine }) {
  if (!started) return 'not run';
  return escapeHtml(`${started.slice(0, 10)}, ${duration(seconds)}, profile ${profile}, ${machine}`);
}

/** A figure that does not answer the pointer: `small` without words, `front` with its legend. */
function drawing({ spec, alt }, size) {
  return `<div class="plot" data-size="${size}"><div class="drawing" data-alt="${escapeHtml(alt)}"></div>
<script type="application/json">${jsonInHtml(spec)}</script></div>`;
}
