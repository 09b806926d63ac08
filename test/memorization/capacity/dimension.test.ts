import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { dimensionFormula, functionalDimension } from 'attention-capacity/memorization/capacity/dimension';
import { linearize } from 'attention-capacity/memorization/capacity/jacobian';
import { type ContextKind, type LayerOptions, layerOf } from 'attention-capacity/memorization/config';
import { trainedFrom } from 'attention-capacity/memorization/parameters';
import { drawTask } from 'attention-capacity/memorization/task';

type GoldenLayer = Omit<LayerOptions, 'examples' | 'task'>;

/** test/golden/memorization/dimension.py: JAX in float64, and Gaussian elimination with 60 digits. */
const golden = JSON.parse(
  readFileSync(path.join(__dirname, '../../../golden/memorization/dimension.json'), 'utf8'),
) as {
  jacobians: {
    layer: GoldenLayer;
    queries: number[];
    tokens: number[];
    weights: number[];
    outputs: number[];
    jacobian: number[];
  }[];
  ranks: { layer: GoldenLayer; digits: 16 | 60; rank: number }[];
};

/** One output is a regression, several are logits. */
const withTask = (layer: GoldenLayer) =>
  ({ ...layer, task: layer.classes === 1 ? 'regression' : 'classification' }) as const;

const named = ({ heads: H, keyValueHeads: G, context: n, headSize: r, width: d, contexts, ...rest }: GoldenLayer) =>
  `H=${H} G=${G} n=${n} d_h=${r} d=${d} d_v=${rest.valueSize} C=${rest.classes} ${contexts} ${rest.embedding}`;

function assertClose(found: Float64Array, expected: readonly number[], what: string): void {
  assert.equal(found.length, expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  const off = Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
  assert.ok(off < 1e-13 * largest, `${what} off by ${off} of ${largest}`);
}

for (const { layer, queries, tokens, weights, outputs, jacobian } of golden.jacobians) {
  test(`outputs and Jacobian are JAX's: ${named(layer)}`, () => {
    const setting = layerOf({ ...withTask(layer), examples: outputs.length / layer.classes! });
    const drawn = drawTask(setting, 'float64');
    const task = { ...drawn, setting, queries: Float64Array.from(queries), tokens: Float64Array.from(tokens) };
    const found = linearize(task, Float64Array.from(weights));
    assertClose(found.outputs, outputs, 'outputs');
    assertClose(found.jacobian.data, jacobian, 'Jacobian');
    assert.equal(found.jacobian.shape[1], weights.length - trainedFrom(setting));
  });
}

for (const { layer, digits, rank } of golden.ranks) {
  test(`the closed form is the rank, ${digits === 16 ? 'by JAX' : 'with 60 digits'}: ${named(layer)}`, () => {
    assert.equal(dimensionFormula(layerOf({ ...withTask(layer), examples: 1 })), rank);
    const { dimension } = functionalDimension(withTask(layer));
    // With 60 digits are those whose last directions are beyond float64: it counts fewer, never more.
    if (digits === 16) assert.equal(dimension, rank);
    else assert.ok(dimension <= rank, `${dimension} of ${rank}`);
  });
}

const grid = [1, 2, 4].flatMap((heads) =>
  (
    [
      [2, 2, 4],
      [4, 3, 6],
      [3, 6, 6],
      [8, 2, 6],
    ] as const
  ).flatMap(([context, headSize, width]) =>
    (['shared', 'random', 'perm'] as const).map((contexts: ContextKind) => ({
      heads,
      context,
      headSize,
      width,
      contexts,
    })),
  ),
);

test(`the closed form is the rank in ${grid.length + 6} settings`, () => {
  const more = [
    { heads: 4, context: 3, headSize: 2, width: 4, contexts: 'shared', classes: 3, valueSize: 2, keyValueHeads: 2 },
    { heads: 4, context: 3, headSize: 2, width: 4, contexts: 'random', classes: 3, valueSize: 3, keyValueHeads: 1 },
    { heads: 2, context: 3, headSize: 2, width: 6, contexts: 'random', classes: 9, embedding: 'fixed' },
    { heads: 6, context: 4, headSize: 3, width: 4, contexts: 'shared', classes: 6, embedding: 'fixed' },
    { heads: 3, context: 1, headSize: 2, width: 4, contexts: 'perm', classes: 6 },
    { heads: 3, context: 1, headSize: 2, width: 4, contexts: 'shared', classes: 2, valueSize: 2 },
  ] as const;
  const settings = [
    ...grid.map((shape, i) => ({ ...shape, task: 'regression', embedding: i % 2 ? 'fixed' : 'trained' }) as const),
    ...more.map((shape) => ({ ...shape, task: 'classification' }) as const),
  ];
  const found = settings.map((setting) => ({ setting, ...functionalDimension(setting) }));
  const different = found.filter(({ dimension, formula }) => dimension !== formula);
  // Where the last singular value that counts is near the tolerance, others may lie below it.
  const unexplained = different.filter(
    ({ dimension, formula, sigmaRatio, rtol }) => dimension > formula! || sigmaRatio > 1000 * rtol,
  );
  assert.deepEqual(unexplained, []);
  assert.ok(found.length - different.length >= 40, `${found.length - different.length} of ${found.length} agree`);
});

test('a dimension does not depend on the draw, and counts every weight', () => {
  const layer = { heads: 2, context: 4, headSize: 3, width: 6, contexts: 'shared', task: 'regression' } as const;
  const found = [0, 1, 2].map((seed) => functionalDimension({ ...layer, seed }));
  assert.equal(new Set(found.map(({ dimension }) => dimension)).size, 1);
  assert.ok(found.every(({ sigmaRatio, nextRatio, rtol }) => sigmaRatio > 100 * rtol && nextRatio < rtol / 10));
  assert.equal(found[0].parameters, 42 + 2 * 2 * 18 + 2 * 12 + 6 + 1);
});

test('a Jacobian that does not fit into memory is refused in one sentence', () => {
  assert.throws(
    () => functionalDimension({ heads: 600, context: 60, headSize: 64, contexts: 'random', task: 'regression' }),
    { name: 'InputError', message: /^the Jacobian of \d+ outputs by \d+ weights, .* needs .* of memory/ },
  );
});
