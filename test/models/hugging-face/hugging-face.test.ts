import { strict as assert } from 'node:assert';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from 'attention-capacity/input-error';
import { huggingFaceImageModel, layerOf } from 'attention-capacity/models';
import { fileBytes, openSafetensors } from 'attention-capacity/data/files/safetensors';
import { tf } from 'attention-capacity/tensor';
import { GOLDEN } from '../golden';
import { safetensorsBytes } from '../../data/files/safetensors-bytes';

const folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
after(() => rmSync(folder, { recursive: true }));
let copies = 0;

/** A copy of a committed checkpoint, to be broken. */
function copyOf(name: string): string {
  const copy = join(folder, `${name}-${copies++}`);
  cpSync(join(GOLDEN, name), copy, { recursive: true });
  return copy;
}

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** Writes model.safetensors again with tensors renamed (null: left out) or reshaped. */
function rewrite(checkpoint: string, change: (name: string, shape: number[]) => [string, number[]] | null): void {
  const path = join(checkpoint, 'model.safetensors');
  const file = openSafetensors(fileBytes(path));
  const header: Header = {};
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape }] of file.entries) {
    const changed = change(name, [...shape]);
    if (changed === null) continue;
    const values = file.read(name);
    header[changed[0]] = { dtype: 'F32', shape: changed[1], data_offsets: [end, end + values.byteLength] };
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    end += values.byteLength;
  }
  writeFileSync(path, safetensorsBytes(header, Buffer.concat(parts)));
}

function setJson(path: string, change: Record<string, unknown>): void {
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...change }));
}

const rejects = (message: RegExp) => (error: Error) => error instanceof InputError && message.test(error.message);

test('a folder says what it is: sizes, preprocessing, tensors that are not used', () => {
  const model = huggingFaceImageModel(join(GOLDEN, 'checkpoint-vit'));
  const layer = layerOf(model, 1);
  assert.deepEqual([layer.n, layer.d, layer.heads], [10, 16, 2]);
  assert.equal(layer.name, 'checkpoint-vit-layer-1');
  assert.deepEqual(layer.preprocessing, {
    resize: { height: 12, width: 12 },
    resample: 'bilinear',
    rescale: 1 / 255,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  });
  assert.equal(model.notes.length, 1);
  assert.match(model.notes[0], /not used: classifier.bias, classifier.weight, layernorm.bias, layernorm.weight$/);
  assert.match(String(layer.provenance.sha256), /^[0-9a-f]{64}$/);
  assert.throws(() => layerOf(model, 3), rejects(/expected a layer from 0 \(the embeddings\) to 2, got 3/));
  assert.throws(() => layerOf(model, 0.5), InputError);
});

test('pixels need no preprocessor file, images do', () => {
  const layer = layerOf(huggingFaceImageModel(join(GOLDEN, 'checkpoint-dinov2-sharded')), 2);
  assert.equal(layer.n, 10);
  assert.throws(() => layer.preprocessing, rejects(/expected preprocessor_config.json/));
});

test('the older names of LayerNorm and files without a prefix are the same checkpoint', async () => {
  const copy = copyOf('checkpoint-vit');
  rewrite(copy, (name, shape) => {
    const old = name.replace('vit.', '');
    return [/norm/.test(old) ? old.replace('.weight', '.gamma').replace('.bias', '.beta') : old, shape];
  });
  const renamed = await huggingFaceImageModel(copy).weights();
  const original = await huggingFaceImageModel(join(GOLDEN, 'checkpoint-vit')).weights();
  assert.deepEqual([...renamed.shapes.keys()].sort(), [...original.shapes.keys()].sort());
  const name = 'encoder.layer.0.layernorm_before.weight';
  assert.deepEqual(renamed.read(name), original.read(name));
});

test('only the tensors that a layer needs must be there, and what is missing is named', async () => {
  const copy = copyOf('checkpoint-vit');
  rewrite(copy, (name, shape) => (name.includes('layer.1.') ? null : [name, shape]));
  const model = huggingFaceImageModel(copy);
  assert.match(model.notes[1], /not there: encoder.layer.1.layernorm_before.weight, .* and 8 more$/);
  const before = tf.memory().numTensors;
  (await layerOf(model, 1).load('float32')).dispose();
  await assert.rejects(
    layerOf(model, 2).load('float32'),
    rejects(/lacks encoder.layer.1.layernorm_before.weight, .*, which the network needs/),
  );
  assert.equal(tf.memory().numTensors, before);
});

test('wrong shapes are listed with what was expected', async () => {
  const copy = copyOf('checkpoint-vit');
  rewrite(copy, (name, shape) => [name, name.includes('intermediate') ? [shape.reduce((a, b) => a * b)] : shape]);
  await assert.rejects(
    layerOf(huggingFaceImageModel(copy), 1).load('float32'),
    rejects(/wrong shape of encoder.layer.0.intermediate.dense.weight \(expected \[24, 16\], got \[384\]\)/),
  );
});

test('broken folders are InputErrors', () => {
  const broken = (name: string, file: string, change: Record<string, unknown>) => {
    const copy = copyOf(name);
    setJson(join(copy, file), change);
    return () => {
      const model = huggingFaceImageModel(copy);
      // How images become pixels is read when it is asked for.
      if (file === 'preprocessor_config.json') model.preprocessing();
    };
  };
  const without = (name: string, file: string) => {
    const copy = copyOf(name);
    rmSync(join(copy, file));
    return () => huggingFaceImageModel(copy);
  };
  const cut = copyOf('checkpoint-vit');
  const path = join(cut, 'model.safetensors');
  writeFileSync(path, readFileSync(path).subarray(0, 9000));
  const pickled = copyOf('checkpoint-vit');
  renameSync(join(pickled, 'model.safetensors'), join(pickled, 'pytorch_model.bin'));
  const noJson = copyOf('checkpoint-vit');
  writeFileSync(join(noJson, 'config.json'), '{');
  const twoShards = 'checkpoint-dinov2-sharded';
  const index = 'model.safetensors.index.json';
  const cases: [string, () => unknown, RegExp][] = [
    ['no folder', () => huggingFaceImageModel(join(folder, 'none')), /config.json cannot be read: ENOENT/],
    ['no JSON', () => huggingFaceImageModel(noJson), /config.json: expected JSON/],
    [
      'another model',
      broken('checkpoint-vit', 'config.json', { model_type: 'swin' }),
      /model_type among beit, .*, vit_msn, got "swin"/,
    ],
    [
      'no type',
      broken('checkpoint-vit', 'config.json', { model_type: 3 }),
      /expected model_type to be a string, got 3/,
    ],
    [
      'heads',
      broken('checkpoint-vit', 'config.json', { num_attention_heads: 3 }),
      /expected hidden_size to be a multiple of num_attention_heads 3, got 16/,
    ],
    [
      'a size',
      broken('checkpoint-vit', 'config.json', { hidden_size: '16' }),
      /hidden_size to be a whole number from 1, got "16"/,
    ],
    [
      'activation',
      broken('checkpoint-vit', 'config.json', { hidden_act: 'mish' }),
      /an activation among gelu, .*, got "mish"/,
    ],
    [
      'channels',
      broken('checkpoint-vit', 'config.json', { num_channels: 1 }),
      /expected 3 channels, got num_channels 1/,
    ],
    ['filter', broken('checkpoint-vit', 'preprocessor_config.json', { resample: 1 }), /resample 2 \(bilinear\) or 3/],
    ['no resize', broken('checkpoint-vit', 'preprocessor_config.json', { do_resize: false }), /do_resize to be true/],
    ['no weights', without('checkpoint-vit', 'model.safetensors'), /expected model.safetensors \(or shards/],
    [
      'quantised',
      broken('checkpoint-vit', 'config.json', { quantization_config: { quant_method: 'gptq', bits: 4 } }),
      /expected weights in float32, float16 or bfloat16, got a checkpoint that is quantised by gptq/,
    ],
    [
      'quantised in 8 bits',
      broken('checkpoint-vit', 'config.json', { quantization_config: { load_in_8bit: true } }),
      /a checkpoint that is quantised \(quantization_config\)/,
    ],
    [
      'pickled',
      () => huggingFaceImageModel(pickled),
      /has its weights as pytorch_model\.bin and not as model\.safetensors/,
    ],
    ['a cut file', () => huggingFaceImageModel(cut), /ends at byte \d+ of 9000; is it complete/],
    [
      'a lost shard',
      without(twoShards, 'model-00002-of-00003.safetensors'),
      /00002-of-00003.safetensors cannot be read/,
    ],
    [
      'a path',
      broken(twoShards, index, { weight_map: { a: '../model.safetensors' } }),
      /weight_map from tensors to files of the same/,
    ],
    ['no map', broken(twoShards, index, { weight_map: {} }), /weight_map from tensors to files/],
  ];
  for (const [name, open, message] of cases) assert.throws(open, rejects(message), name);
});

test('processors of both kinds: a ViT resizes to a square, DINOv2 the shorter side, then crops', () => {
  const copy = copyOf('checkpoint-dinov2-sharded');
  const write = (content: object) => writeFileSync(join(copy, 'preprocessor_config.json'), JSON.stringify(content));
  write({
    crop_size: { height: 224, width: 224 },
    do_center_crop: true,
    image_mean: [0.485, 0.456, 0.406],
    image_processor_type: 'BitImageProcessor',
    image_std: [0.229, 0.224, 0.225],
    resample: 3,
    rescale_factor: 0.00392156862745098,
    size: { shortest_edge: 256 },
  });
  const model = huggingFaceImageModel(copy);
  assert.deepEqual(model.preprocessing(), {
    resize: { shortestEdge: 256 },
    resample: 'bicubic',
    crop: { height: 224, width: 224 },
    rescale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
  assert.equal(layerOf(model, 0).n, 1 + 56 * 56);
  write({ size: 224, image_processor_type: 'ViTFeatureExtractor' });
  assert.deepEqual(huggingFaceImageModel(copy).preprocessing().resize, { height: 224, width: 224 });
  write({ size: { shortest_edge: 256 }, image_processor_type: 'BitImageProcessor' });
  assert.deepEqual(
    huggingFaceImageModel(copy).preprocessing().crop,
    { height: 224, width: 224 },
    "its class's default",
  );
  write({ size: { shortest_edge: 256 }, image_processor_type: 'BitImageProcessor', do_center_crop: false });
  const uneven = huggingFaceImageModel(copy);
  assert.throws(() => layerOf(uneven, 0), rejects(/expected square images of one size, got \{"shortestEdge":256\}/));
  assert.equal(layerOf(uneven, 0, { n: 13 }).n, 13, 'pixels that are ready need no processor');
});
