/**
 * Time of an exact capacity beside what the reference's recipe needs for the same answer, one thread after another on the same
 * layer (H = n = d_h = 4, d = 8, shared context, regression, tokens as they are):
 *
 *     node bench/memorization/exact-beside-adam.mjs
 *
 * writes results/exact-beside-adam.json. Adam trains on T = 20 examples until the mean squared error is 1e-10, and then on as many
 * as the exact capacity, for ten times as many steps, which does not get there.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import exactly from 'attention-capacity/memorization/capacity/memorize-exactly';
import exact from 'attention-capacity/memorization/capacity/exact-capacity';
import trainer from 'attention-capacity/memorization/training/trainer';

const layer = {
  heads: 4,
  context: 4,
  headSize: 4,
  width: 8,
  contexts: 'shared',
  task: 'regression',
  embedding: 'fixed',
  seed: 0,
};
const recipe = { batch: 20, learningRate: 0.03, evaluateEvery: 100 };
const timed = async (run) => {
  const began = performance.now();
  const result = await run();
  return { result, seconds: (performance.now() - began) / 1000 };
};
await exactly.memorizeExactly({ ...layer, examples: 10 }); // what starts once
const few = await timed(() => exactly.memorizeExactly({ ...layer, examples: 20 }));
const capacity = await timed(() => exact.exactCapacity(layer, { starts: 2, resolution: 0.05 }));
const { fittedAt, notFittedAt, bound } = capacity.result;
const fewByAdam = await timed(() =>
  trainer.memorize({ ...layer, ...recipe, examples: 20, steps: 2000, stopAtLoss: 1e-10 }),
);
const allByAdam = await timed(() => trainer.memorize({ ...layer, ...recipe, examples: fittedAt, steps: 20_000 }));

const rows = {
  command: 'node bench/memorization/exact-beside-adam.mjs',
  twenty: {
    exact: { seconds: few.seconds, maxResidual: few.result.maxResidual },
    adam: { seconds: fewByAdam.seconds, steps: fewByAdam.result.steps, fitted: fewByAdam.result.fitted },
    ratio: fewByAdam.seconds / few.seconds,
  },
  capacity: {
    exact: { seconds: capacity.seconds, fittedAt, notFittedAt, bound },
    adam: { seconds: allByAdam.seconds, steps: 20_000, examples: fittedAt, fitted: allByAdam.result.fitted },
    ratio: allByAdam.seconds / capacity.seconds,
  },
};
console.log(JSON.stringify(rows, null, 1));
writeFileSync(
  fileURLToPath(new URL('results/exact-beside-adam.json', import.meta.url)),
  `${JSON.stringify(rows, null, 1)}\n`,
);
