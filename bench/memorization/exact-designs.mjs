/**
 * Exact capacity beside the dimension, in 30 designs of two heads and more, drawn by a rule from seed 0:
 *
 *     node bench/memorization/exact-designs.mjs [designs]
 *
 * writes results/exact-designs.json after each design. A design that is there already is not measured again, and neither is a
 * trial in data/cache/exact-designs. Four starts, an interval of 2 % of the dimension.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from 'attention-capacity/data/project-root';
import exact from 'attention-capacity/memorization/capacity/exact-capacity';
import dimension from 'attention-capacity/memorization/capacity/dimension';
import config from 'attention-capacity/memorization/config';
import { randomSource } from 'attention-capacity/tensor/index';

const designs = Number(process.argv[2] ?? 30);
const output = fileURLToPath(new URL('results/exact-designs.json', import.meta.url));

/** Every value as likely as another; drawn again while the dimension is above 500, which is what two cores do in minutes. */
function drawDesign(index) {
  for (let attempt = 0; ; attempt++) {
    const random = randomSource(0, 'exact-designs', index, attempt);
    const pick = (...values) => values[random.integer(values.length)];
    const heads = 2 + random.integer(7);
    const design = {
      heads,
      context: 3 + random.integer(6),
      headSize: 2 + random.integer(7),
      width: pick(8, 12, 16),
      contexts: pick('shared', 'random'),
      keyValueHeads: pick(heads, heads, ...[1, 2, 3, 4].filter((groups) => heads % groups === 0)),
      embedding: 'fixed',
      task: 'regression',
      seed: index,
    };
    if (dimension.dimensionFormula(config.layerOf({ ...design, examples: 1 })) <= 500) return design;
  }
}

const known = existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')).designs : [];
const rows = [];
for (let index = 0; index < designs; index++) {
  const design = drawDesign(index);
  const kept = known.find((row) => Object.entries(design).every(([key, value]) => row[key] === value));
  rows.push(kept ?? (await measured(design)));
  const near = rows.filter(({ share }) => share >= 0.95).length;
  writeFileSync(
    output,
    `${JSON.stringify({ command: 'node bench/memorization/exact-designs.mjs', near, designs: rows }, null, 1)}\n`,
  );
  const { fittedAt, bound, share } = rows.at(-1);
  console.log(`${index}: ${fittedAt} of ${bound} (${share.toFixed(3)}); ${near} of ${rows.length} at 0.95 or more`);
}

async function measured(design) {
  const found = await exact.exactCapacity(design, { folder: cacheFolder('exact-designs') });
  const { bound, fittedAt, notFittedAt, starts, trials } = found;
  const summary = trials.map(({ config, memorized, maxResidual, iterations, starts, seconds }) => {
    return { examples: config.examples, memorized, maxResidual, iterations, starts, seconds };
  });
  return { ...design, bound, fittedAt, notFittedAt, share: fittedAt / bound, starts, trials: summary };
}
