import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
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
    images.files?.forEach((file, i) => {
      const { sha256: stored } = expected.decoded[file];
      // The one with an orientation is turned: test/data/images/orientations.test.ts.
      assert.equal(sha256(images.load(i).data) === stored, file !== 'lies-on-its-side.jpg', file);
    });
    assert.equal(images.turned, 1);
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

  it('skips what is not a regular file, without opening it', async () => {
    const path = join(folder, 'pipes');
    mkdirSync(path);
    copyFileSync(golden('images', 'rgb.png'), join(path, 'a.png'));
    execFileSync('mkfifo', [join(path, 'pipe'), join(path, 'pipe.jpg')]);
    symlinkSync('/dev/zero', join(path, 'zero.png'));
    const images = await imageFolder(path);
    assert.deepEqual(images.files, ['a.png']);
    assert.deepEqual(
      images.skipped,
      ['pipe', 'pipe.jpg', 'zero.png'].map((file) => ({ file, reason: 'not a regular file' })),
    );
  });

  it('reads files and folders whose names are not UTF-8', async () => {
    const path = join(folder, 'latin');
    mkdirSync(path);
    const below = Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xe9])]);
    mkdirSync(below);
    const bytes = readFileSync(golden('images', 'rgb.png'));
    writeFileSync(Buffer.concat([below, Buffer.from('/caf\xe9.png', 'latin1')]), bytes);
    writeFileSync(join(path, 'é.png'), bytes);
    const images = await imageFolder(path);
    assert.deepEqual(images.files, ['\\xe9/caf\\xe9.png', 'é.png']);
    assert.deepEqual(images.load(0), images.load(1));
  });

  it('counts the images that have an EXIF orientation', async () => {
    const path = join(folder, 'exif');
    mkdirSync(path);
    const tiff = (little: boolean, value: number) => {
      const bytes = Buffer.alloc(26);
      bytes.write(little ? 'II' : 'MM', 'latin1');
      const short = (at: number, number: number) =>
        little ? bytes.writeUInt16LE(number, at) : bytes.writeUInt16BE(number, at);
      short(2, 42);
      if (little) bytes.writeUInt32LE(8, 4);
      else bytes.writeUInt32BE(8, 4);
      [1, 0x0112, 3].forEach((number, i) => short(8 + 2 * i, number));
      if (little) bytes.writeUInt32LE(1, 14);
      else bytes.writeUInt32BE(1, 14);
      short(18, value);
      return bytes;
    };
    const length = (bytes: number, count: number) => Buffer.from(count.toString(16).padStart(2 * bytes, '0'), 'hex');
    const name = Object.keys(expected.decoded).find((file) => file.endsWith('.jpg'))!;
    const jpeg = readFileSync(golden('images', name));
    for (const [file, exif] of Object.entries({
      'big.jpg': tiff(false, 6),
      'little.jpg': tiff(true, 3),
      'upright.jpg': tiff(true, 1),
      'odd.jpg': tiff(true, 8).subarray(0, 12),
    })) {
      const segment = Buffer.concat([Buffer.from('Exif\0\0'), exif]);
      const marker = Buffer.from([0xff, 0xe1]);
      const parts = [jpeg.subarray(0, 2), marker, length(2, segment.length + 2), segment, jpeg.subarray(2)];
      writeFileSync(join(path, file), Buffer.concat(parts));
    }
    const png = readFileSync(golden('images', 'rgb.png'));
    const chunk = Buffer.concat([Buffer.from('eXIf'), tiff(false, 8)]);
    const parts = [png.subarray(0, 33), length(4, 26), chunk, length(4, crc32(chunk)), png.subarray(33)];
    writeFileSync(join(path, 'turned.png'), Buffer.concat(parts));
    copyFileSync(golden('images', 'rgb.png'), join(path, 'plain.png'));
    const images = await imageFolder(path);
    assert.deepEqual([images.count, images.turned, images.skipped], [6, 3, []]);
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
    const [a, b, c] = await Promise.all([one, two, three].map((path) => imageFolder(path)));
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

/** As PNG has it; zlib's own is not in Node 20. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
