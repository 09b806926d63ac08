/** A file or a folder becomes query vectors; what is no such thing is refused in one sentence. */
import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeNpy } from 'attention-capacity/data';
import { InputError } from 'attention-capacity/input-error';
import { openFeatures } from 'attention-capacity/experiments/your-features/measure';
import { D, fakeLayer } from '../../features/fake-layer';
import { safetensorsBytes } from '../../data/files/safetensors-bytes';

const pictures = resolve(__dirname, '../../../golden/data/images');

describe('features of your own', () => {
  let folder: string;
  const cacheBefore = process.env.ATTENTION_CACHE;
  const at = (name: string) => join(folder, name);
  const numbers = Float64Array.from([1, 2, 3, 4, 5, 6.5]);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'your-features-'));
    process.env.ATTENTION_CACHE = at('cache');
  });
  after(() => {
    restore('ATTENTION_CACHE', cacheBefore);
    rmSync(folder, { recursive: true });
  });

  it('come from .npy, in the precision of the file', async () => {
    await writeNpy(at('queries.npy'), { data: numbers, shape: [2, 3] });
    await writeNpy(at('single.npy'), { data: Float32Array.from(numbers), shape: [3, 2] });
    const features = await openFeatures(at('queries.npy'));
    assert.deepEqual(features.shape, [2, 3]);
    assert.deepEqual(features.data, numbers);
    assert.equal(features.dtype, 'float64');
    assert.equal(features.name, 'queries.npy');
    assert.equal(features.rowNames, null);
    assert.equal((await openFeatures(at('single.npy'))).dtype, 'float32');
  });

  it('come from .csv', async () => {
    writeFileSync(at('queries.csv'), 'a,b,c\n1,2,3\n4,5,6.5\n');
    const features = await openFeatures(at('queries.csv'));
    assert.deepEqual([features.shape, features.dtype], [[2, 3], 'float64']);
    assert.deepEqual(features.data, numbers);
  });

  it('come from a named tensor of .safetensors', async () => {
    const header = {
      queries: { dtype: 'F64', shape: [2, 3], data_offsets: [0, 48] },
      others: { dtype: 'F32', shape: [1, 2], data_offsets: [48, 56] },
    };
    const data = Buffer.concat([Buffer.from(numbers.buffer), Buffer.from(Float32Array.of(7, 8).buffer)]);
    writeFileSync(at('model.safetensors'), safetensorsBytes(header, data));
    const features = await openFeatures(at('model.safetensors'), { tensor: 'queries' });
    assert.deepEqual(features.data, numbers);
    assert.equal(features.origin, 'model.safetensors, tensor queries');
    assert.equal((await openFeatures(at('model.safetensors'), { tensor: 'others' })).dtype, 'float32');
    await refused(
      openFeatures(at('model.safetensors')),
      /expected one matrix, got 2 \(queries, others\); name one .*ATTENTION_FEATURES_TENSOR/,
    );
    await refused(
      openFeatures(at('model.safetensors'), { tensor: 'keys' }),
      /expected a tensor 'keys', got queries, others/,
    );
  });

  it('come from a folder of images through a layer, one row a usable file', async () => {
    mkdirSync(at('pictures/more'), { recursive: true });
    copyFileSync(join(pictures, 'rgb.png'), at('pictures/b.png'));
    copyFileSync(join(pictures, 'rgb.png'), at('pictures/a.png'));
    copyFileSync(join(pictures, 'chroma-full.jpg'), at('pictures/more/c.jpg'));
    copyFileSync(join(pictures, 'cut-short.png'), at('pictures/broken.png'));
    copyFileSync(join(pictures, 'grey.png'), at('pictures/grey.png'));
    writeFileSync(at('pictures/notes.txt'), 'no image');
    const features = await openFeatures(at('pictures'), { layer: fakeLayer('plain') });
    assert.deepEqual(features.shape, [3, D]);
    assert.ok(features.data instanceof Float64Array);
    assert.deepEqual(features.rowNames, ['a.png', 'b.png', 'more/c.jpg']);
    assert.deepEqual(features.data.slice(0, D), features.data.slice(D, 2 * D));
    assert.deepEqual(features.skipped.map(({ file }) => file).sort(), ['broken.png', 'grey.png', 'notes.txt']);
    assert.match(features.origin, /plain, of the images in pictures, computed in float64/);
  });

  it('are looked for in the project too, where a notebook names them', async () => {
    mkdirSync(at('home/data'), { recursive: true });
    writeFileSync(at('home/data/sources.json'), '{}');
    await writeNpy(at('home/mine.npy'), { data: numbers, shape: [2, 3] });
    const before = process.env.ATTENTION_CAPACITY_HOME;
    process.env.ATTENTION_CAPACITY_HOME = at('home');
    try {
      assert.deepEqual((await openFeatures('mine.npy')).shape, [2, 3]);
    } finally {
      restore('ATTENTION_CAPACITY_HOME', before);
    }
  });

  it('are refused with a sentence when there are none', async () => {
    await refused(openFeatures(at('absent.npy')), /absent\.npy' cannot be read: there is no such file or folder/);
    mkdirSync(at('empty'));
    await refused(openFeatures(at('empty')), /empty': expected JPEG or PNG images, got an empty folder/);
    writeFileSync(at('rows.mat'), '1 2 3');
    await refused(openFeatures(at('rows.mat')), /expected a .*\.npy.*, got '.*rows\.mat'/);
    await refused(
      openFeatures(at('empty'), { tensor: 'x' }),
      /expected a \.safetensors file for the tensor 'x', got the folder '.*empty'/,
    );
    await writeNpy(at('nan.npy'), { data: Float64Array.of(1, 2, NaN, 4), shape: [2, 2] });
    await refused(openFeatures(at('nan.npy')), /got NaN in row 1, column 0/);
  });

  it('are refused with the size they would need when they exceed the memory', async () => {
    // A file with a hole: 8 TB long, and next to nothing on the disk.
    const [rows, columns] = [1e9, 1000];
    const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`.padEnd(117) + '\n';
    const prefix = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0]);
    writeFileSync(at('huge.npy'), Buffer.concat([prefix, Buffer.from(header)]));
    const file = openSync(at('huge.npy'), 'r+');
    ftruncateSync(file, 128 + rows * columns * 8);
    closeSync(file);
    await refused(openFeatures(at('huge.npy')), /huge\.npy' needs 8\.0 TB of memory, [\d.]+ [A-Z]B are free/);
  });

  function restore(name: string, value: string | undefined): void {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }

  async function refused(promise: Promise<unknown>, message: RegExp): Promise<void> {
    await assert.rejects(promise, (error: Error) => {
      assert.ok(error instanceof InputError, `${error.stack}`);
      assert.match(error.message, message);
      assert.ok(!error.message.includes('\n'), `one line, in ${basename(folder)}`);
      return true;
    });
  }
});
