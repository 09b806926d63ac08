import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { openPixels, readNpyMatrix, readTokens } from 'attention-capacity/data/files/matrix-file';
import { createNpy, openNpy, readNpy, writeNpy } from 'attention-capacity/data/files/npy';
import { formatHeader, type NpyData } from 'attention-capacity/data/files/npy-header';
import { readMatrixFile } from 'attention-capacity/data/files/read-matrix';
import { InputError } from 'attention-capacity/input-error';
import { expected, golden } from '../expected';

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'npy-'))));
after(() => rmSync(folder, { recursive: true }));

/** A file with these bytes. */
function file(name: string, ...parts: (string | Uint8Array)[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1'))));
  return path;
}

/** A file of version 1.0 with this header and these many bytes of numbers. */
function withHeader(name: string, header: string, bytes: number): string {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return file(name, '\x93NUMPY\x01\x00', length, header, new Uint8Array(bytes));
}

/** Rejects with one line that names the file. */
async function refuses(reading: Promise<unknown>, path: string, message: RegExp): Promise<void> {
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    assert.ok(error.message.includes(path) && !error.message.includes('\n'), error.message);
    return true;
  });
}

describe('readNpy', () => {
  for (const [name, { dtype, shape, values }] of Object.entries(expected.arrays)) {
    it(`reads what NumPy wrote: ${name}`, async () => {
      const array = await readNpy(golden('arrays', name));
      assert.deepEqual([array.dtype, array.shape], [dtype, shape]);
      assert.deepEqual(Array.from(array.data as Float64Array, Number), values);
    });
  }

  for (const name of ['object.npy', 'truths.npy', 'complex.npy', 'texts.npy', 'fields.npy']) {
    it(`refuses other types of numbers: ${name}`, async () => {
      const path = golden('arrays', name);
      await refuses(readNpy(path), path, /expected floats of 2 to 8 bytes or whole numbers of 1 to 8, got the type /);
    });
  }

  it('reads slices of the first axis, in C and in Fortran order', async () => {
    for (const name of ['int64.npy', 'float64.npy', 'fortran.npy', 'fortran-rank-3.npy', 'big-endian-float32.npy']) {
      const array = await openNpy(golden('arrays', name));
      const { values, shape } = expected.arrays[name];
      const slice = values.length / shape[0];
      try {
        assert.deepEqual(Array.from((await array.read(1, 2)) as Float64Array, Number), values.slice(slice, 2 * slice));
        assert.equal((await array.read(1, 1)).length, 0);
      } finally {
        await array.close();
      }
    }
  });

  it('refuses every file that is cut short, and one that is too long', async () => {
    const bytes = readFileSync(golden('arrays', 'float32.npy'));
    for (let length = 0; length < bytes.length; length++) {
      const path = file('cut.npy', bytes.subarray(0, length));
      await refuses(readNpy(path), path, length < 10 ? /is not a \.npy file/ : /ends within its header|is truncated/);
    }
    const path = file('long.npy', bytes, 'x');
    await refuses(readNpy(path), path, /is too long: expected 48 bytes .* for the shape \(3, 4\), got 49/);
  });

  it('refuses anything else', async () => {
    await refuses(readNpy(join(folder, 'none.npy')), 'none.npy', /there is no such file or folder/);
    await refuses(readNpy(folder), folder, /expected a file, got a folder/);
    const text = file('text.npy', 'a,b,c\n1,2,3\n');
    await refuses(readNpy(text), text, /is not a \.npy file: expected the bytes \\x93NUMPY at its beginning/);
    const version = file('version.npy', '\x93NUMPY\x04\x00\x10\x00', ' '.repeat(16));
    await refuses(readNpy(version), version, /expected version .* of the \.npy format, got 4\.0/);
    const long = file('header.npy', '\x93NUMPY\x02\x00\xff\xff\xff\x7f', ' '.repeat(16));
    await refuses(readNpy(long), long, /expected a header of at most 65536 bytes, got a length of 2147483647/);
  });

  for (const header of [
    '',
    'nonsense',
    '{}',
    "{'descr': '<f8', 'fortran_order': False}",
    "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1.5,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': (1,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} + evil()",
    "{'descr': '<f8', 'fortran_order': False, 'shape': 1}",
  ]) {
    it(`refuses the header ${JSON.stringify(header)}`, async () => {
      const path = withHeader('odd.npy', header, 8);
      await refuses(readNpy(path), path, /expected a header with 'descr', 'fortran_order' and 'shape', got /);
    });
  }

  it('survives any damage: there are numbers, or one line that says why not', async () => {
    const bytes = readFileSync(golden('arrays', 'fortran.npy'));
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const damaged = Buffer.from(bytes);
        for (const [at, value] of changes) damaged[at] = value;
        const path = file('damaged.npy', damaged);
        try {
          const { data, shape } = await readNpy(path);
          assert.equal(
            data.length,
            shape.reduce((n, length) => n * length, 1),
          );
        } catch (error) {
          assert.ok(error instanceof InputError && !error.message.includes('\n'), String(error));
        }
      }),
      { numRuns: process.env.ATTENTION_TEST_ALL ? 20000 : 1000 },
    );
  });

  it('refuses a shape that no file can have', async () => {
    const path = withHeader('huge.npy', "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 99999999), }", 8);
    await refuses(readNpy(path), path, /expected a shape that a file can hold, got \(99999999, 99999999\)/);
    const more = withHeader('large.npy', "{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 99999), }", 8);
    await refuses(readNpy(more), more, /is truncated: expected .* \(80 GB\) .*, got 8/);
  });

  it('refuses what does not fit into memory, with the size that would be needed', async () => {
    const path = file('sparse.npy', formatHeader('float64', [2 ** 28, 1000]));
    truncateSync(path, formatHeader('float64', [2 ** 28, 1000]).length + 2 ** 31 * 1000);
    await refuses(readNpy(path), path, /needs 2\.1 TB of memory, .* are free/);
  });

  it('understands what other writers make of the header', async () => {
    for (const header of [
      '{"descr": "<f8", "fortran_order": True, "shape": (1L, 1L)}',
      "{'shape': (1, 1,), 'fortran_order': False, 'descr': '=f8', }",
      " {'shape':(1,1),'descr':'<f8','fortran_order':False}\n",
    ]) {
      assert.deepEqual((await readNpy(withHeader('other.npy', header, 8))).shape, [1, 1]);
    }
  });
});

describe('writeNpy', () => {
  it('comes back as it went, of every type and rank', async () => {
    const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    const makers: ((n: number, seed: number) => NpyData)[] = [
      (n, seed) => Float32Array.from({ length: n }, (_, i) => Math.sin(seed + i) * 1e30),
      (n, seed) => Float64Array.from({ length: n }, (_, i) => Math.sin(seed + i) * 1e-300),
      (n, seed) => Int32Array.from({ length: n }, (_, i) => Math.imul(seed + i, 0x9e3779b1)),
      (n, seed) => BigInt64Array.from({ length: n }, (_, i) => BigInt(seed) * -(2n ** 32n) + BigInt(i)),
      (n, seed) => Int8Array.from({ length: n }, (_, i) => seed + i),
      (n, seed) => Uint16Array.from({ length: n }, (_, i) => seed * i),
      (n, seed) => BigUint64Array.from({ length: n }, (_, i) => 2n ** 64n - BigInt(seed + i)),
    ];
    const path = join(folder, 'round-trip.npy');
    await fc.assert(
      fc.asyncProperty(shape, fc.constantFrom(...makers), fc.nat(), async (lengths, make, seed) => {
        const data = make(
          lengths.reduce((n, length) => n * length, 1),
          seed,
        );
        await writeNpy(path, { data, shape: lengths });
        const { data: back, shape: found } = await readNpy(path);
        assert.deepEqual(back, data);
        assert.deepEqual(found, lengths);
      }),
      { numRuns: 60 },
    );
  });

  it("writes NumPy's bytes", async () => {
    for (const name of ['float64.npy', 'float32.npy', 'int32.npy', 'rank-1.npy', 'scalar.npy', 'no-rows.npy']) {
      const path = join(folder, name);
      await writeNpy(path, await readNpy(golden('arrays', name)));
      assert.deepEqual(readFileSync(path), readFileSync(golden('arrays', name)), name);
    }
  });

  it('takes the numbers bit by bit', async () => {
    const path = join(folder, 'contexts.npy');
    const writer = await createNpy(path, 'float32', [3, 2, 2]);
    await writer.append(Float32Array.of(1, 2, 3, 4));
    assert.ok(!readdirSync(folder).includes('contexts.npy'), 'no file before it is finished');
    await writer.append(Float32Array.of(0, 5, 6, 7, 8, 9, 10, 11, 12, 0).subarray(1, 9));
    await writer.finish();
    await writer.discard();
    assert.deepEqual(
      (await readNpy(path)).data,
      Float32Array.from({ length: 12 }, (_, i) => i + 1),
    );
  });

  it('leaves the old file and nothing else when it is given up', async () => {
    const path = join(folder, 'kept.npy');
    await writeNpy(path, { data: Float64Array.of(1), shape: [1] });
    const before = readdirSync(folder);
    const writer = await createNpy(path, 'float64', [3]);
    await writer.append(Float64Array.of(1, 2));
    await assert.rejects(writer.finish(), /expected the numbers of the shape \(3\), got 2/);
    await writer.discard();
    await assert.rejects(
      writeNpy(path, { data: Float64Array.of(1, 2), shape: [1] }),
      /expected the numbers of the shape \(1\), got 2/,
    );
    assert.deepEqual(readdirSync(folder), before);
    assert.deepEqual([...((await readNpy(path)).data as Float64Array)], [1]);
  });

  it('says why a file cannot be written', async () => {
    const path = join(folder, 'no-such-folder', 'x.npy');
    await refuses(
      writeNpy(path, { data: Float64Array.of(1), shape: [1] }),
      path,
      /cannot be written: there is no such/,
    );
  });

  it('says that the disk is full, where there is one', { skip: process.platform !== 'linux' }, async () => {
    const writer = await createNpy(join(folder, 'full.npy'), 'float64', [1]);
    // Every write to this device ends with ENOSPC.
    const full = await import('node:fs/promises').then(({ open }) => open('/dev/full', 'w'));
    const own = (writer as unknown as { handle: typeof full }).handle;
    Object.assign(writer, { handle: full });
    await refuses(writer.append(Float64Array.of(1)), 'full.npy', /cannot be written: the disk is full/);
    await own.close();
    assert.ok(!readdirSync(folder).some((name) => name.startsWith('full.npy')));
  });
});

describe('readNpyMatrix', () => {
  it('reads what NumPy wrote in float16', async () => {
    const { data, dtype } = await readNpyMatrix(golden('arrays', 'half.npy'));
    assert.deepEqual([dtype, [...data]], ['float32', Array.from({ length: 12 }, (_, i) => i - 2.5)]);
  });

  it('reads the one array of an .npz file, or the one that is named', async () => {
    const expected = Float64Array.from({ length: 6 }, (_, i) => i / 3);
    for (const [name, tensor] of [
      ['one.npz', undefined],
      ['two.npz', 'features'],
    ] as const) {
      const matrix = await readMatrixFile(golden('arrays', name), { tensor });
      assert.deepEqual(matrix, { data: expected, shape: [3, 2], dtype: 'float64' });
    }
    const two = golden('arrays', 'two.npz');
    await refuses(readMatrixFile(two), two, /expected one array, got features, labels; name one with --tensor/);
    const whole = readFileSync(two);
    for (const length of [0, 10, 100, whole.length - 1]) {
      const path = file('cut.npz', whole.subarray(0, length).toString('latin1'));
      await refuses(readMatrixFile(path), path, /is not a whole \.npz file/);
    }
  });

  for (const [descr, dtype, bytes, values] of [
    ['<f2', 'float32', '003c00c001000a7bff7b0080', [1, -2, 2 ** -24, 57664, 65504, -0]],
    ['>f2', 'float32', '3c00c00000017b0a7bff8000', [1, -2, 2 ** -24, 57664, 65504, -0]],
    ['|V2', 'float32', '803f00c0803400000080497f', [1, -2, 2 ** -22, 0, -0, (1 + 73 / 128) * 2 ** 127]],
    ['|u1', 'float64', '0102030405ff', [1, 2, 3, 4, 5, 255]],
    ['<i8', 'float64', '01'.padEnd(16, '0') + 'f'.repeat(16) + '0'.repeat(64), [1, -1, 0, 0, 0, 0]],
  ] as const) {
    it(`widens ${descr}, and says so`, async () => {
      const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (3, 2), }`.padEnd(117) + '\n';
      const prefix = Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1');
      const path = join(folder, 'widened.npy');
      writeFileSync(path, Buffer.concat([prefix, Buffer.from(header), Buffer.from(bytes, 'hex')]));
      const matrix = await readNpyMatrix(path);
      assert.equal(matrix.dtype, dtype);
      assert.deepEqual([...matrix.data], values.map(dtype === 'float32' ? Math.fround : Number));
      assert.match(matrix.notes![0], /widened\.npy' holds b?(float16|uint8|int64), widened exactly/);
    });
  }

  it('gives a matrix and the type of its numbers', async () => {
    const { values, shape } = expected.arrays['fortran.npy'];
    assert.deepEqual(await readNpyMatrix(golden('arrays', 'fortran.npy')), {
      data: Float64Array.from(values),
      shape,
      dtype: 'float64',
    });
    assert.equal((await readNpyMatrix(golden('arrays', 'float32.npy'))).dtype, 'float32');
  });

  for (const [name, message] of [
    ['scalar.npy', /expected a matrix \[T, d\].* got the shape \(\)/],
    ['rank-1.npy', /expected a matrix \[T, d\].* got the shape \(4\)/],
    ['fortran-rank-3.npy', /expected a matrix \[T, d\].* got the shape \(2, 3, 4\)/],
    ['no-rows.npy', /holds no numbers: its shape is \(0, 4\)/],
  ] as const) {
    it(`refuses ${name}`, () => refuses(readNpyMatrix(golden('arrays', name)), golden('arrays', name), message));
  }

  for (const [value, name] of [
    [NaN, 'NaN'],
    [Infinity, 'infinity'],
    [-Infinity, 'infinity'],
  ] as const) {
    it(`names the row that holds ${value}`, async () => {
      const path = join(folder, 'bad.npy');
      await writeNpy(path, { data: Float32Array.of(1, 2, 3, 4, value, value), shape: [3, 2] });
      await refuses(readNpyMatrix(path), path, new RegExp(`got ${name} in row 2, column 0`));
    });
  }
});

describe('readTokens', () => {
  it('takes int32 and int64', async () => {
    assert.deepEqual(await readTokens(golden('arrays', 'int32.npy')), {
      ids: Int32Array.of(0, 1, 2, 3, 4, 5),
      shape: [2, 3],
    });
    assert.deepEqual(
      (await readTokens(golden('arrays', 'int64.npy'))).ids,
      Int32Array.of(0, 1000, 2000, 3000, 4000, 5000),
    );
  });

  it('refuses other numbers', async () => {
    const path = join(folder, 'tokens.npy');
    await refuses(
      readTokens(golden('arrays', 'float64.npy')),
      'float64.npy',
      /expected token numbers in int32 or int64, got float64/,
    );
    await refuses(readTokens(golden('arrays', 'rank-1.npy')), 'rank-1.npy', /got float64/);
    await writeNpy(path, { data: Int32Array.of(1, 2), shape: [2] });
    await refuses(readTokens(path), path, /expected token numbers \[T, n\], got the shape \(2\)/);
    await writeNpy(path, { data: Int32Array.of(1, 2, 3, -1), shape: [2, 2] });
    await refuses(readTokens(path), path, /expected token numbers, .* got -1 in row 1, column 1/);
    await writeNpy(path, { data: BigInt64Array.of(1n, 2n ** 40n), shape: [1, 2] });
    await refuses(readTokens(path), path, /expected token numbers, .* got 1099511627776 in row 0, column 1/);
  });
});

describe('openPixels', () => {
  it('reads batches', async () => {
    const pixels = await openPixels(golden('arrays', 'rank-4.npy'));
    assert.deepEqual(pixels.shape, [1, 3, 2, 4]);
    assert.equal((await pixels.read(0, 1)).length, 24);
    await pixels.close();
  });

  it('refuses what are no pixels', async () => {
    for (const name of ['float64.npy', 'int32.npy', 'fortran-rank-3.npy']) {
      const path = golden('arrays', name);
      await refuses(openPixels(path), path, /expected normalised pixels \[T, 3, H, W\]/);
    }
  });
});
