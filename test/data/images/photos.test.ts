import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
import { expected, golden, sha256 } from '../expected';

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
  it("are 100 photographs with Pillow's pixels, none too small for a crop", async () => {
    const sources = await sourceFiles('photos');
    assert.equal(sources.length, 100);
    for (const source of sources) {
      const { width, height, data } = decodeImage(await readSource(source));
      assert.equal(sha256(data), expected.fetched[source.file], source.file);
      assert.ok(Math.min(width, height) >= 224, `${source.file}: ${width} x ${height}`);
    }
  });

  it('gives the same crops on every machine', async () => {
    const images = await photos({ crops: 300 });
    assert.equal(fingerprint(images), 'bec58a8a3ff402b979d9f2a2d983442a71dbf99ed0462a6815bad74a570eff96');
    assert.equal(images.hash, '958561a8cd527ffe86903830afcae108955b04f0023a8947849480bc126bbbec');
    assert.equal((await photos({ crops: 300, seed: 0 })).hash, images.hash);
  });

  it('begins with the same crops, however many there are', async () => {
    const [few, many] = [await photos({ crops: 40, seed: 5 }), await photos({ crops: 400, seed: 5 })];
    assert.equal(few.hash, many.hash, 'so the features of one serve the other');
    for (let i = 0; i < few.count; i++) assert.deepEqual(few.load(i), many.load(i));
  });

  it('gives other crops for another seed', async () => {
    const [a, b] = [await photos({ crops: 20, seed: 1 }), await photos({ crops: 20, seed: 2 })];
    assert.notEqual(a.hash, b.hash);
    assert.notEqual(fingerprint(a), fingerprint(b));
  });

  it('draws squares whose sides spread over 0.6 to 1 of the shorter side, and are never enlarged', async () => {
    const [photographs, each] = [100, 40];
    const images = await photos({ crops: photographs * each });
    const sources = await sourceFiles('photos');
    for (let photo = 0; photo < photographs; photo++) {
      const { width, height } = decodeImage(await readSource(sources[photo]));
      const shorter = Math.min(width, height);
      const smallest = Math.max(224, Math.ceil(0.6 * shorter));
      const crops = Array.from({ length: each }, (_, i) => images.load(photo + photographs * i));
      assert.ok(crops.every((crop) => crop.width === crop.height));
      const sides = crops.map((crop) => crop.width);
      assert.ok(Math.min(...sides) >= smallest && Math.max(...sides) <= shorter, sources[photo].file);
      assert.ok(
        Math.max(...sides) - Math.min(...sides) > 0.7 * (shorter - smallest),
        `${sources[photo].file}: ${sides.join(', ')}`,
      );
    }
  });

  it('draws no crop twice', async () => {
    // Of these, seed 1 drew one twice before repetitions were refused.
    const images = await photos({ crops: 2000, seed: 1 });
    const hashes = new Set(Array.from({ length: 2000 }, (_, i) => sha256(images.load(i).data)));
    assert.equal(hashes.size, 2000);
  });

  it('keeps no tensor', async () => {
    const tensors = tf.memory().numTensors;
    (await photos({ crops: 4 })).load(3);
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

  it('are refused when they are smaller than a crop', async () => {
    await inCache(async (folder) => {
      const bytes = readFileSync(golden('images', 'rgb.png'));
      const file = { file: 'photos/small.png', bytes: bytes.length, sha256: sha256(bytes), licence: 'ours' };
      for (const name of ['photos', 'data']) mkdirSync(join(folder, name));
      writeFileSync(join(folder, file.file), bytes);
      const sources = [{ use: 'photos', package: 'one', version: '1', licence: 'ours', files: [file] }];
      writeFileSync(join(folder, 'data', 'sources.json'), JSON.stringify({ sources }));
      process.env.ATTENTION_CAPACITY_HOME = folder;
      try {
        await assert.rejects(photos({ crops: 3 }), (error) => {
          assert.ok(error instanceof InputError);
          assert.match(
            error.message,
            /^photos\/small.png: expected a shorter side of at least 224 pixels, got \d+ x \d+;/,
          );
          return true;
        });
      } finally {
        delete process.env.ATTENTION_CAPACITY_HOME;
      }
    });
  });

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
