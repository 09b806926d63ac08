/**
 * A checkpoint of the size and format of google/vit-base-patch16-224-in21k, with the generator's weights, in a hub cache:
 * the same commands then take it by itself, within a gigabyte. In `npm run test:all`.
 */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readNpy, writeNpy } from 'attention-capacity/data';
import { layers } from 'attention-capacity/models';
import { shapesOf } from 'attention-capacity/models/networks/architecture';
import { vit, VIT_B16 } from 'attention-capacity/models/networks/vit';
import { attentionCapacity } from '../../cli/command';
import { difference, readGolden, type Picks } from '../golden';
import { integerPixels, integerWeights } from '../integer-weights';

const root = mkdtempSync(join(tmpdir(), 'full-size-'));
const before = process.env.HF_HUB_CACHE;
after(() => {
  if (before === undefined) delete process.env.HF_HUB_CACHE;
  else process.env.HF_HUB_CACHE = before;
  rmSync(root, { recursive: true });
});

const NAME = 'google/vit-base-patch16-224-in21k';

/** Prints the seconds and the bytes that loading all twelve blocks took, in a process of its own. */
const LOAD = `
const { huggingFaceModel, layerOf } = require('attention-capacity/models');
const began = performance.now();
layerOf(huggingFaceModel(process.argv[1]), 12).load('float32').then((layer) => {
  console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, bytes: process.resourceUsage().maxRSS * 1024 }));
  layer.dispose();
});`;

test(`${NAME}: found by its name, the same hidden states, within 1 GiB`, async (t) => {
  if (!process.env.ATTENTION_TEST_ALL) return t.skip('writes 343 MB; npm run test:all runs it');
  const golden = readGolden<{ config: object; amplitude: number; layers: Picks[] }>('vit-b16');
  const repository = join(root, 'models--google--vit-base-patch16-224-in21k');
  const folder = join(repository, 'snapshots', 'c0ffee');
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(repository, 'refs'));
  writeFileSync(join(repository, 'refs', 'main'), 'c0ffee');
  writeFileSync(join(folder, 'config.json'), JSON.stringify(golden.config));
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify({ size: { height: 224, width: 224 } }));
  writeWeights(join(folder, 'model.safetensors'), golden.amplitude);
  process.env.HF_HUB_CACHE = root;

  const [, , , trained] = layers.paper();
  assert.deepEqual([trained.name, trained.n, trained.d], ['vit-b16-in21k', 197, 768]);

  const { seconds, bytes } = JSON.parse(
    execFileSync(process.execPath, ['-e', LOAD, folder], {
      cwd: __dirname,
      encoding: 'utf8',
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    }),
  ) as { seconds: number; bytes: number };
  t.diagnostic(
    `ViT-B/16, 12 blocks, float32: loaded in ${seconds.toFixed(1)} s, ${(bytes / 2 ** 20).toFixed(0)} MiB at most`,
  );
  assert.ok(bytes < 2 ** 30, `${bytes} bytes`);

  const at = (name: string) => join(root, name);
  await writeNpy(at('pixels.npy'), { data: Float32Array.from(integerPixels(1, 224)), shape: [1, 3, 224, 224] });
  const { status, stderr } = await attentionCapacity(
    ...['features', '--model', NAME, '--layer', '1', '--pixels', at('pixels.npy'), '--precision', 'float64'],
    ...['--out', at('queries.npy'), '--contexts', at('contexts.npy')],
  );
  assert.equal(status, 0, stderr);
  const { data, shape } = await readNpy(at('contexts.npy'));
  const error = difference('layer 1', data as Float64Array, shape, golden.layers[1]);
  t.diagnostic(`layer 1 by its name on the hub, float64: largest difference / scale ${error.toExponential(1)}`);
  assert.ok(error < 1e-10, `${error}`);
});

/** All tensors one after the other, as float32. */
function writeWeights(path: string, amplitude: number): void {
  const shapes = shapesOf(vit, VIT_B16);
  const source = integerWeights(shapes, amplitude);
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const [name, shape] of shapes) {
    const begin = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, 'w');
  try {
    writeSync(file, length);
    writeSync(file, text);
    for (const name of shapes.keys()) writeSync(file, Float32Array.from(source.read(name)));
  } finally {
    closeSync(file);
  }
}
