import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { centerCrop, crop } from 'attention-capacity/data/images/image';
import { resize } from 'attention-capacity/data/images/resize';
import { expected, sha256, synthetic } from '../expected';

const side = fc.integer({ min: 1, max: 40 });
const filter = fc.constantFrom('bilinear' as const, 'bicubic' as const);

describe('resize', () => {
  for (const { from, to, resample, seed, kind, sha256: hash } of expected.resize) {
    it(`gives Pillow's bytes: ${from.join(' x ')} -> ${to.join(' x ')}, ${resample}, ${kind}`, () => {
      const resized = resize(synthetic(from[0], from[1], seed, kind), to[0], to[1], resample);
      assert.deepEqual([resized.width, resized.height], to);
      assert.equal(sha256(resized.data), hash);
    });
  }

  it('keeps an image of one colour', () => {
    const colour = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255));
    fc.assert(
      fc.property(side, side, side, side, filter, colour, (width, height, toWidth, toHeight, resample, rgb) => {
        const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => rgb[i % 3]);
        const resized = resize({ width, height, data }, toWidth, toHeight, resample);
        assert.equal(resized.data.length, toWidth * toHeight * 3);
        assert.ok(resized.data.every((value, i) => value === rgb[i % 3]));
      }),
    );
  });

  it('commutes with a mirror in either axis', () => {
    fc.assert(
      fc.property(side, side, side, side, filter, fc.nat(), (width, height, toWidth, toHeight, resample, seed) => {
        const image = synthetic(width, height, seed);
        const resized = resize(image, toWidth, toHeight, resample);
        for (const mirrored of [mirrorColumns, mirrorRows]) {
          const other = mirrored(resize(mirrored(image), toWidth, toHeight, resample));
          // Pillow decides by position which pixels a filter covers: at its end the weight is 0, or rounding.
          assert.ok(other.data.every((value, i) => Math.abs(value - resized.data[i]) <= 1));
        }
      }),
    );
  });

  it('leaves the image it was given as it was', () => {
    const image = synthetic(20, 10, 1);
    const before = sha256(image.data);
    resize(image, 7, 30, 'bicubic');
    assert.equal(sha256(image.data), before);
    assert.equal(resize(image, 20, 10, 'bilinear'), image);
  });
});

describe('crop', () => {
  it('takes the pixels of the part', () => {
    const image = synthetic(9, 7, 3);
    const part = crop(image, 2, 3, 4, 2);
    for (let row = 0; row < 2; row++) {
      for (let column = 0; column < 4; column++) {
        const at = ((row + 3) * 9 + column + 2) * 3;
        assert.deepEqual(
          [...part.data.subarray((row * 4 + column) * 3).subarray(0, 3)],
          [...image.data.subarray(at, at + 3)],
        );
      }
    }
  });

  it('rounds the upper left corner of the middle down', () => {
    const image = synthetic(8, 5, 4);
    assert.deepEqual(centerCrop(image, 3, 2), crop(image, 2, 1, 3, 2));
  });

  it('refuses a part that sticks out', () => {
    const image = synthetic(4, 4, 0);
    for (const [left, top, width, height] of [
      [-1, 0, 2, 2],
      [0, -1, 2, 2],
      [3, 0, 2, 2],
      [0, 3, 2, 2],
    ]) {
      assert.throws(() => crop(image, left, top, width, height), /expected a part of 4 x 4 pixels, got /);
    }
  });
});

type Image = ReturnType<typeof synthetic>;

function mirrorColumns({ width, height, data }: Image): Image {
  return { width, height, data: data.map((_, i) => data[i + 3 * (width - 1 - 2 * (Math.trunc(i / 3) % width))]) };
}

function mirrorRows({ width, height, data }: Image): Image {
  const row = width * 3;
  return { width, height, data: data.map((_, i) => data[i + row * (height - 1 - 2 * Math.trunc(i / row))]) };
}
