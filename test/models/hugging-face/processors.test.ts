/**
 * preprocessor_config.json of every class against transformers' processors: float32 to the last bit, but for DINOv3's, whose
 * resizing of floats is torchvision's own. How the values were made: test/golden/data/processors.py.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { preprocess } from 'attention-capacity/data/images/preprocess';
import { InputError } from 'attention-capacity/input-error';
import { Configuration } from 'attention-capacity/models/configuration';
import { readPreprocessing } from 'attention-capacity/models/hugging-face/preprocessor';
import { golden, sha256, synthetic } from '../../data/expected';

const { processors } = JSON.parse(readFileSync(golden('processors.json'), 'utf8')) as {
  processors: {
    type: string;
    keys: Record<string, unknown>;
    size: [number, number];
    seed: number;
    shape: number[];
    sha256OfFloat32: string;
    at: number[];
    values: number[];
  }[];
};

for (const { type, keys, size, seed, shape, sha256OfFloat32, at, values } of processors) {
  test(`${type} ${JSON.stringify(keys)}: transformers' pixels`, () => {
    // Older files name their class as `feature_extractor_type`.
    const key = type.endsWith('FeatureExtractor') ? 'feature_extractor_type' : 'image_processor_type';
    const preprocessing = readPreprocessing(new Configuration('p.json', { ...keys, [key]: type }), 'vit');
    const image = synthetic(...size, seed);
    const pixels = preprocess(image, preprocessing, 'float32');
    assert.equal(pixels.length, shape[0] * shape[1] * shape[2], `shape [${shape.join(', ')}]`);
    if (!type.startsWith('DINOv3')) assert.equal(sha256(pixels), sha256OfFloat32);
    const inFloat64 = preprocess(image, preprocessing, 'float64');
    const bound = type.startsWith('DINOv3') ? 1e-5 : 2e-6;
    for (const [i, place] of at.entries()) {
      for (const value of [pixels[place], inFloat64[place]]) {
        assert.ok(Math.abs(value - values[i]) <= bound, `at ${place}: expected ${values[i]}, got ${value}`);
      }
    }
  });
}

test('a file that names no class has the one of its architecture', () => {
  const sizes = ['vit', 'deit', 'clip', 'siglip', 'dinov2', 'beit', 'vit_mae', 'dinov3_vit'].map((type) => {
    const { resize, crop } = readPreprocessing(new Configuration('p.json', { size: 30 }), type);
    return [type, resize, crop];
  });
  const square = { height: 30, width: 30 };
  const crop = { height: 224, width: 224 };
  assert.deepEqual(sizes, [
    ['vit', square, undefined],
    ['deit', square, crop],
    ['clip', { shortestEdge: 30 }, crop],
    ['siglip', { shortestEdge: 30 }, undefined],
    ['dinov2', { shortestEdge: 30 }, crop],
    ['beit', square, undefined],
    ['vit_mae', square, undefined],
    ['dinov3_vit', square, undefined],
  ]);
});

test('what is not read is refused by its name', () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ image_processor_type: 'VideoMAEImageProcessor' }, /among BeitImageProcessor, .*, got "VideoMAEImageProcessor"/],
    [{ feature_extractor_type: 'LevitFeatureExtractor' }, /image_processor_type among .*, got "LevitFeatureExtractor"/],
    [{ size: { shortest_edge: 30, longest_edge: 60 } }, /size to have height and width, or shortest_edge alone/],
    [{ size: { height: 30 } }, /size to have height and width/],
    [{ size: [30] }, /size: expected a JSON object, got \[30\]/],
    [{ size: 30.5 }, /size to be a whole number from 1, got 30.5/],
    [{ do_pad: true }, /expected do_pad false, got true/],
    [{ do_flip_channel_order: true }, /expected do_flip_channel_order false, got true/],
    [{ do_resize: false }, /expected do_resize to be true, got false/],
    [{ resample: 1 }, /expected resample 2 \(bilinear\) or 3 \(bicubic\), got 1/],
    [{ do_center_crop: true, crop_size: { shortest_edge: 20 } }, /expected crop_size to have height and width/],
    [{ image_processor_type: 'ConvNextImageProcessor', size: { height: 30, width: 30 } }, /size to have shortest_edge/],
  ];
  for (const [keys, message] of cases) {
    assert.throws(
      () => readPreprocessing(new Configuration('p.json', keys), 'vit'),
      (error: Error) => error instanceof InputError && message.test(error.message),
      JSON.stringify(keys),
    );
  }
});
