/**
 * The work that bench.mjs has done on the processor and then on the GPU: `node work.mjs FOLDER NAME`. Writes NAME.json, the
 * counts, times and arrays of each piece. What goes in is the same for both: made by the first, read by the second.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import data from 'attention-capacity/data/index';
import trainer from 'attention-capacity/memorization/training/trainer';
import models from 'attention-capacity/models/index';
import rank from 'attention-capacity/rank/index';
import tensor from 'attention-capacity/tensor/index';
import { attention, contexts, normal, randomViT } from '../rank/matrices.mjs';

const { cholesky, eigvalsh, inPrecision, qr, randomSource, scalar, svdvals, tf, toTensor, triangularSolve, valuesOf } =
  tensor;
const [folder, name] = process.argv.slice(2);
const draws = 300;
const pieces = [];
const keep = () => writeFileSync(join(folder, `${name}.json`), JSON.stringify({ pieces }));

/** Does the work twice: the first time warms up, and equal bits are told from unequal ones. */
async function piece(title, work) {
  const times = [];
  const results = [];
  for (let round = 0; round < 2; round++) {
    const began = performance.now();
    results.push(await work());
    times.push(performance.now() - began);
  }
  const [first, second] = results.map((result) => JSON.stringify(result));
  pieces.push({ title, milliseconds: times[1], repeats: first === second, result: results[1] });
  keep();
}

/** A matrix of the bench, made once. */
async function shared(title, make) {
  const file = join(folder, `${title}.npy`);
  if (!existsSync(file)) await data.writeNpy(file, make());
  return data.readNpyMatrix(file);
}

const numbers = (tensors) => [tensors].flat().flatMap((one) => Array.from(valuesOf(one)));
const drawn = new Map();
/** Drawn once: what is timed is the work on them. */
function values(label, count) {
  const key = `${label} ${count}`;
  if (!drawn.has(key)) {
    const random = randomSource(0, label);
    drawn.set(
      key,
      Float64Array.from({ length: count }, () => random.normal()),
    );
  }
  return drawn.get(key);
}

const stack = await shared('contexts', () => {
  const { data, shape } = contexts(16);
  return { data, shape: [shape[0] * shape[1], shape[2]] };
});
for (const precision of ['float32', 'float64']) {
  const inside = (title, work) => piece(`${title}, ${precision}`, () => inPrecision(precision, () => tf.tidy(work)));
  const square = (label, size, batch = 1) => toTensor(values(label, batch * size * size), [batch, size, size]);
  const positive = (size, batch) => {
    const one = square('positive', size, batch);
    return tf.add(tf.matMul(one, one, false, true), tf.mul(scalar(size / 10), tf.eye(size)));
  };
  await inside('product, 1024', () =>
    numbers(tf.matMul(square('left', 1024), square('right', 1024)).slice([0, 0, 0], [1, 64, 1024])),
  );
  await inside('Cholesky, 8 of 197', () => numbers(cholesky(positive(197, 8)).slice([0, 150, 0], [8, 47, 197])));
  await inside('triangular solution, 197', () => {
    const factor = cholesky(positive(197, 1));
    return numbers(triangularSolve(factor, square('right', 197)));
  });
  await inside('eigenvalues, 384', () => numbers(eigvalsh(positive(384, 1))));
  await inside('singular values, 384', () => numbers(svdvals(square('left', 384))));
  await inside('R of QR, 197', () => numbers(tf.abs(qr(square('left', 197).squeeze([0]))[1])));
  // What is no number, or has no factor, must be answered so and not stop the program.
  await inside('where there is no answer', () => {
    const bad = toTensor([1, 2, 2, 1], [1, 2, 2]);
    const none = toTensor([NaN, 0, 0, 1], [1, 2, 2]);
    const mixed = tf.concat([bad, tf.eye(2).expandDims(0)], 0);
    const answer = (work) => {
      try {
        return numbers(work()).map(String).join(' ');
      } catch (error) {
        return `throws: ${String(error.message).slice(0, 80)}`;
      }
    };
    return {
      cholesky: answer(() => cholesky(mixed)),
      eigenvalues: answer(() => eigvalsh(none)),
      'singular values': answer(() => svdvals(none)),
    };
  });
  await inside('ranks of 16 contexts, 197 x 768', () => {
    const tensors = toTensor(stack.data, [16, 197, 768]);
    return Array.from(rank.contextRanks(tensors, { rtol: precision }).ranks);
  });
}

const layer = models.layers.paper().filter(({ name }) => name === 'random-attention' || name === 'random-vit-b16');
const images = await data.photos({ crops: 8, seed: 0 });
for (const precision of ['float32', 'float64']) {
  const batch = data.pixelBatch(images, [...Array(8).keys()], layer[0].preprocessing, precision);
  const loaded = await models.loadLayers(layer, precision);
  await piece(`query vectors of 8 photographs, ${precision}`, () =>
    inPrecision(precision, () =>
      tf.tidy(() =>
        loaded.run(toTensor(batch.data, batch.shape), [true, true]).flatMap(({ queries }) => numbers(queries)),
      ),
    ),
  );
  loaded.dispose();
}

const spectra = [
  ['attention', attention],
  ['random ViT', randomViT],
  ['normal', normal],
];
for (const [title, make] of spectra) {
  const matrix = await shared(title, make);
  for (const rtol of ['float32', 'float64']) {
    for (const k of [197, 768]) {
      await piece(`${draws} verdicts, ${title}, k = ${k}, ${rtol}'s tolerance`, async () => {
        const test = await rank.testKruskalRank(matrix, { k, draws, seed: 0, rtol, ranksDraws: 50, sigmaDraws: 2 });
        const { satisfied, ranks, decidedBy } = test;
        return { satisfied, ranks, decidedBy };
      });
    }
  }
  await piece(`curve of 20 permutations, ${title}`, async () => {
    const { lengths } = await rank.kruskalCurve(matrix, { permutations: 20, seed: 0, rtol: 'float32' });
    return { lengths };
  });
}
await piece('a training of 200 steps', async () => {
  const setting = { heads: 2, context: 4, examples: 200, contexts: 'shared', task: 'classification' };
  const { loss, accuracy } = await trainer.memorize({ ...setting, steps: 200 });
  return [loss, accuracy];
});
