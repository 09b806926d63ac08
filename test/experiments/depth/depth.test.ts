import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { depthPlaces, type DepthPlace } from 'attention-capacity/experiments/depth/measure';
import { depthSteps } from 'attention-capacity/experiments/depth/steps';
import { computeFeatures } from 'attention-capacity/features/features';
import { layerOf } from 'attention-capacity/models';
import { singularValues } from 'attention-capacity/rank';
import { depthFigure, depthStepFigure } from 'attention-capacity/experiments/depth/figures';
import { depthFindings } from 'attention-capacity/experiments/depth/findings';
import { depthStepTable, depthTable } from 'attention-capacity/experiments/depth/tables';
import { tf } from 'attention-capacity/tensor';
import { noiseImages } from '../../features/fake-layer';
import { smallViT } from './small-vit';

const model = smallViT(2);
const options = { blocks: 2, draws: 6, sigmaDraws: 6, seed: 1 };

describe('the way of the query vectors through a network', () => {
  let folder: string;
  let places: DepthPlace[];
  const cacheBefore = process.env.ATTENTION_CACHE;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'depth-'));
    process.env.ATTENTION_CACHE = folder;
    places = [];
    for (const precision of ['float32', 'float64'] as const) {
      places.push(...(await depthPlaces(model, noiseImages(20), { ...options, precision })));
    }
  });
  after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
    rmSync(folder, { recursive: true });
  });
  const find = (block: number, part: string) =>
    places.find((one) => one.precision === 'float64' && one.block === block && one.part === part)!;

  it('passes the embeddings and seven places in each block, in order', () => {
    assert.equal(places.length, 2 * (1 + 2 * 7));
    assert.equal(
      places
        .slice(0, 9)
        .map(({ block, part }) => `${block} ${part}`)
        .join(', '),
      '0 embeddings, 1 norm-1, 1 heads, 1 attention, 1 residual, 1 norm-2, 1 mlp, 1 output, 2 norm-1',
    );
  });

  it('begins with one vector for all images, and attention tells them apart', () => {
    for (const part of ['embeddings', 'norm-1']) {
      const { assumption1, generalPosition } = find(part === 'embeddings' ? 0 : 1, part);
      assert.deepEqual([assumption1.fraction, generalPosition!.fraction], [0, 0]);
    }
    assert.ok(find(1, 'heads').assumption1.ratios.median > find(1, 'norm-1').assumption1.ratios.median * 1e6);
  });

  it('measures each place as the singular values of its own vectors have it', async () => {
    const [{ queries }] = await computeFeatures([layerOf(model, '2.mlp')], noiseImages(12), {
      precision: 'float64',
      contexts: false,
    });
    // Of twelve rows there is only one subset of twelve.
    const [one] = (
      await depthPlaces(model, noiseImages(13), { ...options, precision: 'float64', draws: 1, sigmaDraws: 1 })
    ).filter(({ block, part }) => block === 2 && part === 'mlp');
    assert.equal(one.generalPosition!.k, 12);
    const all = await computeFeatures([layerOf(model, '2.mlp')], noiseImages(13), {
      precision: 'float64',
      contexts: false,
    });
    assert.deepEqual(all[0].queries.data.slice(0, queries.data.length), queries.data);
    const ratios = Array.from({ length: 13 }, (_, left) => {
      const rows = Float64Array.from(all[0].queries.data.filter((_, i) => Math.floor(i / 12) !== left));
      const sigmas = singularValues({ data: rows, shape: [12, 12] });
      return sigmas[11] / sigmas[0];
    });
    const nearest = Math.min(...ratios.map((ratio) => Math.abs(ratio / one.generalPosition!.ratios.median - 1)));
    assert.ok(nearest < 1e-6, `${nearest}`);
  });

  it('tests contexts and saturation after each block, heads where they are', () => {
    for (const place of places) {
      const isOutput = place.part === 'output';
      assert.equal(place.contexts !== null, isOutput || place.part === 'embeddings');
      assert.equal(place.saturation !== null, isOutput);
      assert.equal(place.byHead !== null, place.part === 'heads');
    }
    const { contexts, saturation } = find(2, 'output');
    assert.deepEqual([contexts!.k, contexts!.draws, contexts!.satisfied], [5, 20, 20]);
    assert.equal(saturation!.largestWeights.length, 2);
    for (const weight of saturation!.largestWeights) assert.ok(weight >= 1 / 5 && weight <= 1);
    for (const entropy of saturation!.entropies) assert.ok(entropy > 0.99 && entropy <= 1 + 1e-12, `${entropy}`);
    assert.equal(saturation!.saturated, 0);
    const { byHead } = find(1, 'heads');
    assert.deepEqual([byHead!.k, byHead!.draws], [6, 12]);
  });

  it('has steps whose factors lead from place to place', () => {
    const steps = depthSteps(places).filter(({ precision }) => precision === 'float64');
    assert.equal(steps.length, 7);
    const adding = steps.find(({ step }) => step === 'adding the MLP')!;
    const ratio = (block: number, part: string) => find(block, part).assumption1.ratios.median;
    assert.deepEqual(
      adding.factors,
      [1, 2].map((block) => ({ block, factor: ratio(block, 'output') / ratio(block, 'residual') })),
    );
    const norm = steps.find(({ step }) => step === 'LayerNorm 1')!;
    assert.deepEqual(norm.factors, [{ block: 2, factor: ratio(2, 'norm-1') / ratio(1, 'output') }]);
  });

  it('leaves no tensor behind', async () => {
    const { numTensors } = tf.memory();
    await depthPlaces(model, noiseImages(14), { ...options, precision: 'float32' });
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('is put into a table, a figure and words', () => {
    const table = depthTable(places);
    assert.equal(table.rows.length, 2 * 3);
    assert.equal(table.rows[0].assumption1, 0);
    assert.equal(table.rows[2]['mlp k=n'], places[13].assumption1.ratios.median);
    assert.equal(depthStepTable(places).rows.length, 14);
    const figure = depthFigure(places);
    const steps = depthStepFigure(places);
    assert.doesNotMatch(JSON.stringify([figure, steps, table.rows]), /NaN|undefined/);
    // k = n, k = d and the contexts, in two precisions; two of attention.
    assert.equal(figure.data.length, 2 * 3 + 2);
    // A colour for each precision, and the contexts.
    assert.equal(figure.data.filter((trace) => 'showlegend' in trace && trace.showlegend).length, 3);
    // The factors of the blocks, and their medians.
    assert.equal(steps.data.length, 2 * 2);
    const [factors, medians] = steps.data as { x: number[]; y: string[] }[];
    assert.deepEqual([new Set(factors.y).size, medians.y.length], [7, 7]);
    assert.match(figure.alt, /small ViT, float64, k = n: .* after block 1, .* after block 2\./);
    // Where float64 goes less deep, attention is still followed to the last block.
    const shallow = places.filter(({ precision, block }) => precision === 'float32' || block < 2);
    const attention = depthFigure(shallow).data.find(({ name }) => name === 'largest attention weight');
    assert.deepEqual((attention as { x: number[] }).x, [1, 2]);
    const { all, headline } = depthFindings(places);
    assert.match(
      headline,
      /small ViT: Assumption 1 holds after 2 of 2 blocks in float32 and 2 of 2 blocks in float64, by 6 random subsets each; .* raises .*undecided.* lowers /,
    );
    assert.match(all, /all contexts have rank n after 2 of 2 blocks/);
    assert.doesNotMatch(all, /NaN|undefined/);
  });

  it('says where there are too few images for k = d', async () => {
    const few = await depthPlaces(model, noiseImages(9), { ...options, precision: 'float32' });
    assert.ok(few.every(({ generalPosition }) => generalPosition === null));
    assert.equal(depthTable(few).rows[1].generalPosition, null);
    assert.equal(depthFigure(few).data.length, 2 + 2);
    assert.doesNotMatch(depthFindings(few).all, /d-subsets/);
  });
});
