/**
 * What the README says and no report shows, as a committed result:
 *
 *     node bench/rank/beyond-the-reports.mjs FOLDER [draws]
 *
 * FOLDER holds photographs; the committed results/beyond-the-reports.json is of 494 ImageNet photographs, short side 256, which
 * this project may not ship. It tests Assumption 1 at float32's tolerance on them, and searches for dependent query vectors of
 * the trained ViT-S on 1200 crops of the project's own photographs.
 */
import os from 'node:os';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import library from 'attention-capacity';
import bounds from 'attention-capacity/rank/kruskal-bounds';

const [folder, draws = '5000'] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected a folder of photographs, got none');
const { computeFeatures, imageFolder, layers, photos, testKruskalRank } = library;
const precision = 'float32';
const options = { precision, contexts: false };

const systems = layers.paper({ seed: 0 }).filter(({ name }) => name !== 'random-embeddings');
const images = await imageFolder(folder);
const assumption1 = [];
for (const { layer, queries } of await computeFeatures(systems, images, options)) {
  const test = await testKruskalRank(queries, { k: layer.n, draws: Number(draws), seed: 0, rtol: precision });
  const { k, satisfied, fraction, ci95, tolerance, sigmaRatio } = test;
  const margin = sigmaRatio.median / tolerance;
  assumption1.push({
    system: layer.name,
    photographs: images.count,
    k,
    draws: Number(draws),
    satisfied,
    fraction,
    ci95,
    margin,
  });
  console.log(`${layer.title}: ${satisfied} of ${draws}, margin ${margin.toFixed(2)}`);
}

const trained = systems.at(-1);
const [{ queries }] = await computeFeatures([trained], await photos({ crops: 1200, seed: 0 }), options);
const found = await bounds.searchKruskalRank(queries, { rtol: precision, seed: 0 });
const search = {
  system: trained.name,
  crops: 1200,
  n: trained.n,
  atLeast: found.atLeast,
  atMost: found.atMost,
  dependentRows: found.witness === null ? null : [...(found.witness.rows ?? found.witness)].length,
};
console.log(JSON.stringify(search));

writeFileSync(
  fileURLToPath(new URL('results/beyond-the-reports.json', import.meta.url)),
  `${JSON.stringify(
    {
      command: `node bench/rank/beyond-the-reports.mjs FOLDER ${draws}`,
      date: new Date().toISOString().slice(0, 10),
      machine: `${os.cpus()[0].model.trim()}, Node ${process.version}`,
      precision,
      assumption1,
      search,
    },
    null,
    1,
  )}\n`,
);
