/** EXIF orientations and conversion to RGB against Pillow; how the values were made: test/golden/data/processors.py. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { decodeImage, UnusableImage } from 'attention-capacity/data/images/decode';
import { imageFolder } from 'attention-capacity/data/images/image-folder';
import { golden, sha256 } from '../expected';

const made = JSON.parse(readFileSync(golden('processors.json'), 'utf8')) as {
  orientations: Record<string, { size: [number, number]; sha256: string }>;
  converted: Record<string, { mode: string; sha256: string }>;
};

test('images are turned as their orientation says, JPEG and PNG, and counted', async () => {
  const images = await imageFolder(golden('orientations'));
  const names = Object.keys(made.orientations).sort();
  assert.deepEqual(images.files, names);
  assert.equal(images.turned, 14, 'all but the two that are upright');
  for (const [i, name] of names.entries()) {
    const { width, height, data } = images.load(i);
    assert.deepEqual([width, height], made.orientations[name].size, name);
    assert.equal(sha256(data), made.orientations[name].sha256, name);
  }
});

test("grey, palette and alpha images are converted as Pillow's convert('RGB') does, if asked to", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'converted-'));
  try {
    for (const [name, { sha256: hash, mode }] of Object.entries(made.converted)) {
      const path = golden(name);
      assert.throws(() => decodeImage(readFileSync(path)), UnusableImage, name);
      assert.equal(sha256(decodeImage(readFileSync(path), true).data), hash, `${name}, mode ${mode}`);
      copyFileSync(path, join(folder, basename(path)));
    }
    for (const name of ['cmyk.jpg', 'grey-16-bits.png', '16-bits.png', 'rgb.png']) {
      copyFileSync(golden('images', name), join(folder, name));
    }
    const [plain, converted] = [await imageFolder(folder), await imageFolder(folder, { convertRgb: true })];
    assert.deepEqual(plain.files, ['rgb.png']);
    assert.equal(converted.count, Object.keys(made.converted).length + 1);
    assert.deepEqual(
      converted.skipped.map(({ file, reason }) => `${file}: ${reason}`),
      [
        '16-bits.png: 16 bits a channel, not 8',
        'cmyk.jpg: CMYK, not RGB',
        'grey-16-bits.png: 16 bits a channel, not 8',
      ],
    );
    assert.notEqual(converted.hash, plain.hash);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
