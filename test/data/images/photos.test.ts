import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { cifar10 } from 'attention-capacity/data/images/cifar10';
import { decodeImage } from 'attention-capacity/data/images/decode';
import type { ImageSet } from 'attention-capacity/data/images/image-set';
import { photos } from 'attention-capacity/data/images/photos';
import { cacheFolder } from 'attention-capacity/data/project-root';
import { readSource, sourceFiles } from 'attention-capacity/data/sources';
import { InputError } from 'attention-capacity/input-error';
import { tf } from 'attention-capacity/tensor/index';
import { expected, sha256 } from '../expected';

/** Of the pixels of all images, one after another, with their sizes. */
function fingerprint(images: ImageSet): string {
  const hash = createHash('sha256');
  for (let i = 0; i < images.count; i++) {
    const { width, height, data } = images.load(i);
    hash.update(`${width} x ${height};`).update(data);
  }
  return hash.digest('hex');
}

describe('photos', () => {
  it("are 31 photographs with Pillow's pixels", async () => {
    const sources = await sourceFiles('photos');
    assert.equal(sources.length, 31);
    for (const source of sources) {
      assert.equal(sha256(decodeImage(await readSource(source)).data), expected.fetched[source.file], source.file);
    }
  });

  it('gives the same crops on every machine', async () => {
    const images = await photos({ crops: 310 });
    assert.equal(fingerprint(images), '5dd722954708a27d4096315add41daf06fadd7c8e44a41169aba35f8f7ec805e');
    assert.equal(images.hash, 'ce1a52ad306db54fc043e1e222390020137e2fe5ae0ccb2f3f117bfdbe473702');
    assert.equal((await photos({ crops: 310, seed: 0 })).hash, images.hash);
  });

  it('begins with the same crops, however many there are', async () => {
    const [few, many] = [await photos({ crops: 40, seed: 5 }), await photos({ crops: 400, seed: 5 })];
    assert.equal(few.hash, many.hash, 'so the features of one serve the other');
    for (let i = 0; i < few.count; i++) assert.deepEqual(few.load(i), many.load(i));
  });

  it('gives other crops for another seed', async () => {
    const [a, b] = [await photos({ crops: 31, seed: 1 }), await photos({ crops: 31, seed: 2 })];
    assert.notEqual(a.hash, b.hash);
    assert.notEqual(fingerprint(a), fingerprint(b));
  });

  it('draws squares whose sides spread over 0.3 to 0.9 of the shorter side', async () => {
    const images = await photos({ crops: 31 * 60 });
    for (let photo = 0; photo < 31; photo++) {
      const sides = Array.from({ length: 60 }, (_, i) => images.load(photo + 31 * i));
      assert.ok(sides.every(({ width, height }) => width === height));
      const smallest = Math.min(...sides.map(({ width }) => width));
      const largest = Math.max(...sides.map(({ width }) => width));
      assert.ok(largest / smallest > 2.3 && largest / smallest < 3.05, `photo ${photo}: ${smallest} to ${largest}`);
    }
  });

  it('keeps no tensor', async () => {
    const tensors = tf.memory().numTensors;
    (await photos({ crops: 31 })).load(3);
    assert.equal(tf.memory().numTensors, tensors);
  });

  for (const crops of [0, -1, 1.5, NaN, Infinity]) {
    it(`refuses ${crops} crops`, async () => {
      await assert.rejects(
        photos({ crops }),
        (error) => error instanceof InputError && error.message.includes(`${crops}`),
      );
    });
  }
});

describe('cifar10', () => {
  it('gives the same images on every machine', async () => {
    const images = await cifar10({ count: 500 });
    assert.equal(images.count, 500);
    assert.equal(fingerprint(images), '99e0cd4acb77510684a4b5df8fa305accd277537b263b2f03472b91ca14aa290');
    assert.equal(images.hash, 'e6796a529fea47e259341547c30f9fe1a33c94f973b68088263da07bb551b5e0');
    assert.notEqual((await cifar10({ count: 500, seed: 1 })).hash, images.hash);
  });

  it("comes with Pillow's pixels", async () => {
    const [strip] = (await sourceFiles('cifar10')).filter(({ file }) => file.endsWith('.png'));
    assert.equal(sha256(decodeImage(await readSource(strip)).data), expected.fetched[strip.file]);
  });

  it('takes each image once', async () => {
    const images = await cifar10({ count: 10000 });
    const hashes = new Set(
      Array.from({ length: 10000 }, (_, i) => createHash('sha256').update(images.load(i).data).digest('hex')),
    );
    assert.equal(hashes.size, 10000);
  });

  for (const count of [0, 10001, 2.5]) {
    it(`refuses ${count} images`, async () => {
      await assert.rejects(
        cifar10({ count }),
        (error) =>
          error instanceof InputError && /expected 1 to 10000 of CIFAR-10's test images, got /.test(error.message),
      );
    });
  }
});

describe('fetched files', () => {
  /** Runs `check` with a cache folder of its own. */
  async function inCache(check: (folder: string) => Promise<void>): Promise<void> {
    const before = process.env.ATTENTION_CACHE;
    const folder = mkdtempSync(join(tmpdir(), 'cache-'));
    process.env.ATTENTION_CACHE = folder;
    try {
      await check(folder);
    } finally {
      if (before === undefined) delete process.env.ATTENTION_CACHE;
      else process.env.ATTENTION_CACHE = before;
      rmSync(folder, { recursive: true });
    }
  }

  it('are asked for when they are missing', async () => {
    await inCache(() => assert.rejects(photos(), /is missing; run 'npm run setup'/));
  });

  it('are refused when they are damaged, cut short or another file', async () => {
    const [source] = await sourceFiles('photos');
    const bytes = await readSource(source);
    await inCache(async (folder) => {
      const path = join(folder, source.file);
      mkdirSync(dirname(path), { recursive: true });
      const flipped = Buffer.from(bytes);
      flipped[1000] ^= 1;
      for (const content of [flipped, bytes.subarray(0, -1), Buffer.alloc(0)]) {
        writeFileSync(path, content);
        await assert.rejects(readSource(source), (error) => {
          assert.ok(error instanceof InputError && error.message.includes(path));
          assert.match(error.message, /expected the sha256 .*, got .*; delete it and run 'npm run setup'/);
          return true;
        });
      }
    });
    await inCache(async (folder) => {
      const real = process.env.ATTENTION_CACHE;
      delete process.env.ATTENTION_CACHE;
      const from = cacheFolder(source.file);
      process.env.ATTENTION_CACHE = real;
      mkdirSync(dirname(join(folder, source.file)), { recursive: true });
      copyFileSync(from, join(folder, source.file));
      assert.equal((await readSource(source)).length, source.bytes);
    });
  });
});
