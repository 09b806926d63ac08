import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeImage, UnusableImage } from 'attention-capacity/data/images/decode';
import { imageFolder } from 'attention-capacity/data/images/image-folder';
import { InputError } from 'attention-capacity/input-error';
import { inPrecision, tf } from 'attention-capacity/tensor/index';
import { expected, golden, sha256 } from '../expected';

describe('decodeImage', () => {
  for (const [name, { size, sha256: hash }] of Object.entries(expected.decoded)) {
    it(`gives Pillow's pixels: ${name}`, () => {
      const image = decodeImage(readFileSync(golden('images', name)));
      assert.deepEqual([image.width, image.height], size);
      assert.equal(sha256(image.data), hash);
    });
  }

  for (const [name, reason] of Object.entries(expected.unusable)) {
    it(`refuses ${name}: ${reason}`, () => {
      assert.throws(() => decodeImage(readFileSync(golden('images', name))), unusable(reason));
    });
  }

  it('survives every cut of a JPEG and a PNG', () => {
    for (const name of ['progressive.jpg', 'rgb.png']) {
      const bytes = readFileSync(golden('images', name));
      for (let length = 0; length < bytes.length - 20; length++) {
        assert.throws(() => decodeImage(bytes.subarray(0, length)), UnusableImage, `${name}, ${length} bytes`);
      }
    }
  });

  it('survives any damage: there are pixels, or a reason', () => {
    const names = ['chroma-halved.jpg', 'progressive.jpg', 'restart-markers.jpg', 'rgb.png', 'interlaced.png'];
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom(...names), damage, (name, changes) => {
        const bytes = Buffer.from(readFileSync(golden('images', name)));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        try {
          const { width, height, data } = decodeImage(bytes);
          assert.equal(data.length, width * height * 3);
        } catch (error) {
          assert.ok(error instanceof UnusableImage, String(error));
        }
      }),
      { numRuns: process.env.ATTENTION_TEST_ALL ? 50000 : 1000 },
    );
  });

  it('works while the float64 backend is current, and keeps no tensor', () => {
    const bytes = readFileSync(golden('images', 'chroma-halved.jpg'));
    const broken = readFileSync(golden('images', 'cut-short.jpg'));
    const plain = decodeImage(bytes);
    const tensors = tf.memory().numTensors;
    assert.deepEqual(
      inPrecision('float64', () => decodeImage(bytes)),
      plain,
    );
    assert.throws(() => decodeImage(broken), UnusableImage);
    assert.equal(tf.memory().numTensors, tensors);
  });
});

describe('imageFolder', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'image-folder-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('takes what it can use, in the order of the names, and lists the rest with reasons', async () => {
    const images = await imageFolder(golden('images'));
    assert.equal(images.name, 'images');
    assert.deepEqual(images.files, Object.keys(expected.decoded).sort());
    assert.equal(images.count, images.files?.length);
    assert.deepEqual(
      images.skipped.map(({ file }) => file),
      Object.keys(expected.unusable).sort(),
    );
    images.skipped.forEach(({ file, reason }) => matchesReason(reason, expected.unusable[file]));
    images.files?.forEach((file, i) => assert.equal(sha256(images.load(i).data), expected.decoded[file].sha256));
    assert.equal((await imageFolder(golden('images'))).hash, images.hash);
  });

  it('looks into folders below and passes over hidden files', async () => {
    const root = join(folder, 'nested');
    mkdirSync(join(root, 'b', 'deep'), { recursive: true });
    const picture = golden('images', 'rgb.png');
    for (const name of ['z.png', 'a.png', 'b/m.png', 'b/deep/x.png', '.hidden.png'])
      copyFileSync(picture, join(root, name));
    symlinkSync(root, join(root, 'loop'));
    symlinkSync(join(root, 'nowhere'), join(root, 'broken-link.png'));
    const images = await imageFolder(root);
    assert.deepEqual(images.files, ['a.png', 'b/deep/x.png', 'b/m.png', 'z.png']);
    assert.deepEqual(images.skipped, [
      { file: 'broken-link.png', reason: 'cannot be read (ENOENT)' },
      { file: 'loop', reason: 'a link to a folder' },
    ]);
  });

  it('gives a folder that is called as a built-in set a name of its own', async () => {
    const path = join(folder, 'photos');
    mkdirSync(path);
    copyFileSync(golden('images', 'rgb.png'), join(path, 'a.png'));
    assert.equal((await imageFolder(path)).name, 'photos-folder');
  });

  it('has a hash that follows the pixels, not the names', async () => {
    const [one, two, three] = ['one', 'two', 'three'].map((name) => join(folder, name));
    [one, two, three].forEach((path) => mkdirSync(path));
    copyFileSync(golden('images', 'rgb.png'), join(one, 'a.png'));
    copyFileSync(golden('images', 'rgb.png'), join(two, 'b.png'));
    copyFileSync(golden('images', 'chroma-full.jpg'), join(three, 'a.png'));
    const [a, b, c] = await Promise.all([one, two, three].map(imageFolder));
    assert.equal(a.hash, b.hash);
    assert.notEqual(a.hash, c.hash);
  });

  it('notices a file that changes while it is in use', async () => {
    const path = join(folder, 'changing');
    mkdirSync(path);
    copyFileSync(golden('images', 'rgb.png'), join(path, 'a.png'));
    const images = await imageFolder(path);
    copyFileSync(golden('images', 'chroma-full.jpg'), join(path, 'a.png'));
    assert.throws(() => images.load(0), /a\.png' changed while it was in use/);
  });

  for (const [what, make, message] of [
    ['is missing', (path: string) => path, /cannot be read: there is no such file or folder/],
    ['is empty', (path: string) => (mkdirSync(path), path), /expected JPEG or PNG images, got an empty folder/],
    [
      'holds no image',
      (path: string) => (mkdirSync(path), writeFileSync(join(path, 'notes.txt'), 'text'), path),
      /expected JPEG or PNG images .*, got 1 other file \(notes\.txt: neither JPEG nor PNG\)/,
    ],
    ['is a file', (path: string) => (writeFileSync(path, 'text'), path), /expected a folder of .*, got a file/],
  ] as const) {
    it(`says so when the folder ${what}`, async () => {
      const path = make(join(folder, what.replaceAll(' ', '-')));
      await assert.rejects(imageFolder(path), (error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, message);
        assert.ok(error.message.includes(path) && !error.message.includes('\n'));
        return true;
      });
    });
  }
});

function unusable(reason: string) {
  return (error: unknown) => {
    assert.ok(error instanceof UnusableImage || error instanceof InputError, String(error));
    matchesReason(error.message, reason);
    assert.ok(!error.message.includes('\n'));
    return true;
  };
}

/** A machine with a hundred gigabytes goes one step further with a file that claims too many pixels. */
function matchesReason(found: string, reason: string): void {
  if (reason.includes('of memory') && /broken (PNG|JPEG) data/.test(found)) return;
  assert.ok(found.includes(reason), `${found} should say: ${reason}`);
}
