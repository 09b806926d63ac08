import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImageSet } from 'attention-capacity/data/images/image-set';
import {
  pixelBatch,
  preprocess,
  type Preprocessing,
  type ResizedImages,
} from 'attention-capacity/data/images/preprocess';
import { InputError } from 'attention-capacity/input-error';
import { expected, sha256, synthetic } from '../expected';

const vit: Preprocessing = {
  resize: { height: 224, width: 224 },
  resample: 'bilinear',
  rescale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};
const dinov2: Preprocessing = {
  resize: { shortestEdge: 256 },
  resample: 'bicubic',
  crop: { height: 224, width: 224 },
  rescale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
const preprocessings = { vit, dinov2 };

describe('preprocess', () => {
  for (const { processor, size, seed, sha256OfFloat32, at, values } of expected.preprocess) {
    const image = synthetic(size[0], size[1], seed);
    const pixel = ([channel, row, column]: number[]) => (channel * 224 + row) * 224 + column;

    it(`equals transformers' ${processor} processor in float32, to the last bit: ${size.join(' x ')}`, () => {
      const pixels = preprocess(image, preprocessings[processor], 'float32');
      at.forEach((index, i) => assert.equal(pixels[pixel(index)], values[i]));
      assert.equal(sha256(pixels), sha256OfFloat32);
    });

    it(`computes the same in float64: ${processor}, ${size.join(' x ')}`, () => {
      const { mean, std, rescale } = preprocessings[processor];
      const pixels = preprocess(image, preprocessings[processor], 'float64');
      assert.ok(pixels instanceof Float64Array);
      at.forEach((index, i) => {
        const value = pixels[pixel(index)];
        assert.ok(Math.abs(value - values[i]) < 1e-6);
        // The level behind it is a whole number, to float64's precision.
        const level = (value * std[index[0]] + mean[index[0]]) / rescale;
        assert.ok(Math.abs(level - Math.round(level)) < 1e-12 * 255, `${level}`);
      });
    });
  }

  it('keeps the proportions when the shorter side is named', () => {
    const whole = { ...dinov2, crop: undefined };
    const images = setOf([synthetic(50, 33, 1)]);
    assert.deepEqual(
      pixelBatch(images, [0], { ...whole, resize: { shortestEdge: 20 } }, 'float32').shape,
      [1, 3, 20, 30],
    );
    const tall = setOf([synthetic(33, 50, 1)]);
    assert.deepEqual(
      pixelBatch(tall, [0], { ...whole, resize: { shortestEdge: 20 } }, 'float32').shape,
      [1, 3, 30, 20],
    );
  });

  it('refuses a crop larger than the image', () => {
    assert.throws(
      () => preprocess(synthetic(30, 30, 1), { ...vit, crop: { height: 300, width: 224 } }, 'float32'),
      (error) =>
        error instanceof InputError && /at most the resized image, 224 x 224 pixels, got 224 x 300/.test(error.message),
    );
  });
});

describe('pixelBatch', () => {
  const images = setOf([0, 1, 2, 3].map((seed) => synthetic(40 + seed, 30, seed)));

  for (const precision of ['float32', 'float64'] as const) {
    it(`puts the images one after another in ${precision}`, () => {
      const batch = pixelBatch(images, Int32Array.of(3, 0, 1), vit, precision);
      assert.deepEqual(batch.shape, [3, 3, 224, 224]);
      [3, 0, 1].forEach((index, b) => {
        const alone = preprocess(images.load(index), vit, precision);
        assert.deepEqual(batch.data.subarray(b * alone.length, (b + 1) * alone.length), alone);
      });
    });
  }

  it('resizes each image once for both precisions, and again for another size', () => {
    let loads = 0;
    const counted = { ...images, load: (index: number) => (loads++, images.load(index)) };
    const kept: ResizedImages = new Map();
    const smaller: Preprocessing = { ...vit, resize: { height: 100, width: 90 } };
    for (const how of [vit, smaller]) {
      for (const precision of ['float32', 'float64'] as const) {
        assert.deepEqual(pixelBatch(counted, [2, 1], how, precision, kept), pixelBatch(images, [2, 1], how, precision));
      }
    }
    assert.equal(loads, 4);
  });

  it('refuses images of different sizes', () => {
    const shortest: Preprocessing = { ...vit, resize: { shortestEdge: 30 } };
    assert.throws(
      () => pixelBatch(images, [0, 1], shortest, 'float32'),
      (error) =>
        error instanceof InputError &&
        /got 40 x 30 pixels and, for image 1, 41 x 30; give both sides/.test(error.message),
    );
  });
});

function setOf(images: ReturnType<typeof synthetic>[]): ImageSet {
  return { name: 'synthetic', count: images.length, hash: '', skipped: [], load: (i) => images[i] };
}
