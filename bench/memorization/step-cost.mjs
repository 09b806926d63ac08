/** The picture of how a training step's time grows: four panels, both axes logarithmic, as an SVG that needs nothing. */
import { writeFileSync } from 'node:fs';

const titles = { heads: 'heads H', context: 'context size n', headSize: 'head size d_h', batch: 'batch' };
const panel = { width: 250, height: 210, left: 44, top: 62, gap: 26 };
const measured = '#0b6e99';
const bound = '#8a5a00';

/** [x, y] -> path of straight lines. */
const line = (points) => points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

/**
 * Writes the picture.
 *
 * @param scaling `limit` (GFLOP/s of a large product) and `points` {axis, value, least, gflop}, as the bench measures them.
 */
export function writeStepCost({ limit, points }, file) {
  const times = points.flatMap(({ least, gflop }) => [least, (gflop / limit) * 1000]);
  const ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200];
  const low = Math.max(...ticks.filter((tick) => tick <= Math.min(...times)), ticks[0]);
  const high = Math.min(...ticks.filter((tick) => tick >= Math.max(...times)), ticks.at(-1));
  const y = (time) => panel.top + panel.height * (1 - Math.log(time / low) / Math.log(high / low));
  const parts = Object.keys(titles).map((axis, index) => {
    const own = points.filter((point) => point.axis === axis);
    const values = own.map(({ value }) => value);
    const left = panel.left + index * (panel.width + panel.gap);
    const x = (value) =>
      left + 12 + ((panel.width - 24) * Math.log(value / values[0])) / Math.log(values.at(-1) / values[0]);
    const at = own.map(({ value, least }) => [x(value), y(least)]);
    const floor = own.map(({ value, gflop }) => [x(value), y((gflop / limit) * 1000)]);
    const grid = ticks
      .filter((tick) => tick >= low && tick <= high)
      .map(
        (tick) =>
          `<line x1="${left}" x2="${left + panel.width}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/>` +
          (index === 0 ? `<text x="${left - 6}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>` : ''),
      );
    const names = values.map(
      (value) => `<text x="${x(value)}" y="${panel.top + panel.height + 17}" text-anchor="middle">${value}</text>`,
    );
    return [
      `<rect x="${left}" y="${panel.top}" width="${panel.width}" height="${panel.height}" fill="none" stroke="#999"/>`,
      ...grid,
      ...names,
      `<text x="${left + panel.width / 2}" y="${panel.top + panel.height + 38}" text-anchor="middle">${titles[axis]}</text>`,
      `<path d="${line(floor)}" fill="none" stroke="${bound}" stroke-width="2" stroke-dasharray="6 4"/>`,
      `<path d="${line(at)}" fill="none" stroke="${measured}" stroke-width="2"/>`,
      ...at.map(([cx, cy]) => `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="4" fill="${measured}"/>`),
    ].join('\n');
  });
  const width = panel.left + 4 * panel.width + 3 * panel.gap + 10;
  const height = panel.top + panel.height + 52;
  const title =
    'Milliseconds of one training step (random contexts; H = 20, n = 32, d_h = 64, d = 64, batch 256 unless varied)';
  const legend = [
    `<text x="${panel.left}" y="20" font-weight="bold">${title}</text>`,
    `<line x1="${panel.left}" x2="${panel.left + 30}" y1="42" y2="42" stroke="${measured}" stroke-width="2"/>`,
    `<text x="${panel.left + 38}" y="46">measured, the least of many</text>`,
    `<line x1="${panel.left + 230}" x2="${panel.left + 260}" y1="42" y2="42" stroke="${bound}" stroke-width="2" stroke-dasharray="6 4"/>`,
    `<text x="${panel.left + 268}" y="46">its matrix products at the speed of one large product, ${limit.toFixed(0)} GFLOP/s</text>`,
  ];
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" role="img" aria-label="${title}">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...legend,
    ...parts,
    '</svg>',
  ];
  writeFileSync(file, `${svg.join('\n')}\n`);
}
