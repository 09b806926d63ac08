import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { dimensionFormula, type Spans } from 'attention-capacity/memorization/capacity/dimension';
import { linearize } from 'attention-capacity/memorization/capacity/jacobian';
import { layerOf, type LayerOptions } from 'attention-capacity/memorization/config';
import { initialParameters, sinusoidalPositions } from 'attention-capacity/memorization/parameters';
import { drawTask } from 'attention-capacity/memorization/task';
import { rankAt, relativeTolerance, singularValues } from 'attention-capacity/rank';
import { randomSource } from 'attention-capacity/tensor';

type Shape = Omit<LayerOptions, 'examples' | 'task'>;

/** test/golden/memorization/spans.py: ranks of Jacobians by JAX's automatic differentiation. */
const golden = JSON.parse(readFileSync(path.join(__dirname, '../../../golden/memorization/spans.json'), 'utf8')) as {
  layer: Shape;
  spans: Spans;
  rank: number;
}[];

const fixed = (layer: Shape) => layerOf({ ...layer, task: 'regression', embedding: 'fixed', examples: 1 });

test(`the closed form knows the spans of queries and tokens and rotary positions: ${golden.length} ranks by JAX`, () => {
  assert.ok(golden.length >= 26 && golden.some(({ spans }) => spans.rotary));
  assert.deepEqual(
    golden.map(({ layer, spans }) => dimensionFormula(fixed(layer), spans)),
    golden.map(({ rank }) => rank),
  );
});

/** `count` vectors of d numbers whose span, once positions are added, has the given dimension. */
function spanning(dimension: number, count: number, d: number, positions: (row: number) => Float64Array, name: string) {
  const random = randomSource(3, 'spans', name);
  const basis = Float64Array.from({ length: dimension * d }, () => 2 * random.uniform() - 1);
  const vectors = new Float64Array(count * d);
  for (let row = 0; row < count; row++) {
    const place = positions(row);
    for (let b = 0; b < dimension; b++) {
      const factor = random.uniform();
      for (let i = 0; i < d; i++) vectors[row * d + i] += factor * basis[b * d + i];
    }
    for (let i = 0; i < d; i++) vectors[row * d + i] -= place[i];
  }
  return vectors;
}

for (const [heads, keyValueHeads, context, headSize, queries, tokens, contexts] of [
  [2, 2, 4, 3, 5, 8, 'shared'],
  [4, 2, 5, 2, 3, 8, 'shared'],
  [4, 1, 5, 4, 8, 3, 'shared'],
  [2, 2, 3, 4, 3, 8, 'random'],
  [4, 2, 3, 2, 4, 5, 'random'],
  [3, 1, 2, 6, 2, 6, 'random'],
] as const) {
  const about = `H=${heads} G=${keyValueHeads} n=${context} d_h=${headSize}, ${contexts}, queries of rank ${queries}, tokens of rank ${tokens}`;
  test(`our own Jacobian has that rank: ${about}`, () => {
    const d = 8;
    const layer = fixed({ heads, keyValueHeads, context, headSize, width: d, contexts, classes: 1 });
    const formula = dimensionFormula(layer, { queries, tokens })!;
    const setting = { ...layer, examples: formula + 15 };
    const places = sinusoidalPositions(context + 1, d);
    const at = (p: number) => places.subarray(p * d, (p + 1) * d);
    const rows = contexts === 'shared' ? context : setting.examples * context;
    const task = {
      ...drawTask(setting, 'float64'),
      setting,
      queries: spanning(queries, setting.examples, d, () => at(0), 'queries'),
      tokens: spanning(tokens, rows, d, (row) => at(1 + (row % context)), 'tokens'),
    };
    const { jacobian } = linearize(task, initialParameters(setting));
    assert.equal(rankAt(singularValues(jacobian), relativeTolerance('float64', ...jacobian.shape)), formula);
  });
}

test('spans and rotary positions have no closed form where an embedding is trained before them', () => {
  const layer = layerOf({
    heads: 2,
    context: 4,
    headSize: 2,
    width: 8,
    contexts: 'random',
    task: 'regression',
    examples: 1,
  });
  assert.equal(dimensionFormula(layer, { queries: 4 }), null);
  assert.equal(dimensionFormula(layer, { rotary: true }), null);
  assert.ok(dimensionFormula(layer, { queries: 8, tokens: 8 })! > 0);
});

// Facts that were tried by hand before, for heads that share keys and values: H, G, n, d_h, d and the Jacobian's rank.
test('groups: the closed form gives the ranks of eight shapes', () => {
  const shapes = [
    [4, 4, 5, 2, 8, 97],
    [4, 2, 5, 2, 8, 83],
    [4, 1, 5, 2, 8, 76],
    [4, 1, 5, 4, 8, 136],
    [6, 2, 6, 3, 8, 171],
    [6, 3, 4, 8, 8, 157],
    [8, 2, 4, 2, 6, 113],
    [4, 1, 8, 2, 8, 85],
  ] as const;
  for (const [heads, keyValueHeads, context, headSize, width, rank] of shapes) {
    assert.equal(
      dimensionFormula(fixed({ heads, keyValueHeads, context, headSize, width, contexts: 'shared', classes: 1 })),
      rank,
    );
  }
});
