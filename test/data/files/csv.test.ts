import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { readCsv } from 'attention-capacity/data/files/csv';
import { InputError } from 'attention-capacity/input-error';

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'csv-'))));
after(() => rmSync(folder, { recursive: true }));

function file(content: string | Uint8Array, name = 'features.csv'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('readCsv', () => {
  for (const [what, text] of [
    ['plain', '1,2,3\n4,5,6\n'],
    ['without a last line end', '1,2,3\n4,5,6'],
    ['with Windows line ends', '1,2,3\r\n4,5,6\r\n'],
    ['with blanks', ' 1, 2 ,3\n\t4,5 ,6\n'],
    ['with empty lines', '\n1,2,3\n\n\n4,5,6\n\n'],
    ['with quotes', '"1","2","3"\n"4",5,6\n'],
    ['with a byte order mark', '\ufeff1,2,3\n4,5,6\n'],
    ['with names', 'a,b,c\n1,2,3\n4,5,6\n'],
    ['with the names of numpy.savetxt', '# a,b,c\n1,2,3\n4,5,6\n'],
    ['with quoted names', '"width, in px","height",""\n1,2,3\n4,5,6\n'],
    ['with a comment of numpy.savetxt', '# features, 3 columns\n1,2,3\n# "more\n4,5,6\n'],
    ['with the line ends of old Macs', '1,2,3\r4,5,6\r'],
    ['in scientific notation', '1e0,+2.0,.3e1\n4.,5.000000000000000000e+00,60E-1\n'],
  ]) {
    it(`reads numbers ${what}`, async () => {
      const { whole: _, large, ...matrix } = await readCsv(file(text));
      assert.equal(large.size, 0);
      assert.deepEqual(matrix, { data: Float64Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3], dtype: 'float64' });
    });
  }

  for (const [what, text, note] of [
    ["pandas' index", ',a,b\n0,1.5,2\n1,3,4\n2,5,6\n', /numbers the rows and was left out/],
    ["R's row names", '"","V1","V2"\n"1",1.5,2\n"2",3,4\n"3",5,6\n', /numbers the rows and was left out/],
    ['an index that was written twice', ',Unnamed: 0,a,b\n0,0,1.5,2\n1,1,3,4\n2,2,5,6\n', /was left out/],
    ["pandas' default names", '0,1\n1.5,2\n3,4\n5,6\n', /its first line, 0, 1, …, was taken as names/],
    ['both', ',0,1\n0,1.5,2\n1,3,4\n2,5,6\n', /its first line, 0, 1, .*names/],
  ] as const) {
    it(`leaves out ${what}, and says so`, async () => {
      const { data, shape, notes } = await readCsv(file(text));
      assert.deepEqual({ data, shape }, { data: Float64Array.of(1.5, 2, 3, 4, 5, 6), shape: [3, 2] });
      assert.match(notes?.join('; ') ?? '', note);
    });
  }

  it('keeps whole numbers of any size in their places when an index is left out', async () => {
    const { data, shape, large } = await readCsv(file(`,a,b\n0,1,2\n1,3,${2n ** 60n + 1n}\n2,5,6\n`));
    assert.deepEqual([shape, data[3], [...large]], [[3, 2], 2 ** 60, [[3, 2n ** 60n + 1n]]]);
  });

  it('keeps a column that counts the rows and has a name, and says so', async () => {
    const { shape, notes } = await readCsv(file('time,b\n0,2\n1,4\n2,6\n'));
    assert.deepEqual(shape, [3, 2]);
    assert.match(notes![0], /its first column counts the rows/);
  });

  it('reads one line 0,1,2 as an example', async () => {
    const { data, shape, notes } = await readCsv(file('0,1,2\n'));
    assert.deepEqual([[...data], shape, notes], [[0, 1, 2], [1, 3], undefined]);
  });

  for (const [name, text] of [
    ['tabs.tsv', '1\t2\t3\n4\t5\t6\n'],
    ['blanks.txt', '# numpy.savetxt\n 1.0e+00  2.0e+00 3\n4 5 6\n'],
    ['tabs.txt', '1\t2\t3\n4\t5\t6\n'],
    ['commas.txt', '1,2,3\n4,5,6\n'],
  ]) {
    it(`reads ${name}`, async () => {
      const { whole: _, large: __, ...matrix } = await readCsv(file(text, name));
      assert.deepEqual(matrix, { data: Float64Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3], dtype: 'float64' });
    });
  }

  it('reads one column and one row', async () => {
    assert.deepEqual((await readCsv(file('1\n2\n3\n'))).shape, [3, 1]);
    assert.deepEqual((await readCsv(file('1,2,3'))).shape, [1, 3]);
  });

  it('loses no digit of a float64', async () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(values, async (row) => {
        const { data } = await readCsv(file(`${row.join(',')}\n${row.map((x) => x.toExponential()).join(',')}\n`));
        assert.deepEqual(
          data,
          Float64Array.from([...row, ...row].map((x) => (Object.is(x, -0) ? 0 : x))).map((x) => x),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('reads more rows than fit into one block', async () => {
    const rows = 3000;
    const lines = Array.from({ length: rows }, (_, i) =>
      Array.from({ length: 100 }, (_, j) => i * 100 + j + 1).join(','),
    );
    const { data, shape } = await readCsv(file(lines.join('\n')));
    assert.deepEqual(shape, [rows, 100]);
    assert.ok(data.every((value, i) => value === i + 1));
  });

  for (const [what, text, message] of [
    ['an empty file', '', /holds no numbers/],
    ['names alone', 'a,b\n', /holds no numbers/],
    ['a ragged line', '1,2,3\n4,5\n', /line 2: expected 3 fields, as many as there are numbers above, got 2/],
    ['a line with more', 'a,b\n1,2,3\n', /line 2: expected 2 fields, as many as there are names above, got 3/],
    ['a comma at the end', '1,2\n3,4,\n', /line 2: expected 2 fields, .* got 3/],
    ['a word', '1,2\n\n3,four\n', /line 3: expected a number, got "four" in column 1 /],
    ['a gap', '1,2\n3,\n', /line 2: expected a number, got nothing in column 1/],
    ['names that are half numbers', 'a,2\n3,4\n', /line 1: expected a number, got "a" in column 0/],
    ['hexadecimal numbers', '1,0x10\n', /line 1: expected a number, got "0x10" in column 1/],
    ['NaN', 'a,b\n1,2\n3,nan\n', /line 3: expected finite numbers, .* got nan in row 1, column 1/],
    ['infinity', '1,-inf\n', /line 1: expected finite numbers, .* got -inf in row 0, column 1/],
    ['a number beyond float64', '1,2\n1,1e999\n', /line 2: expected finite numbers, .* got 1e999 in row 1, column 1/],
    ['an index that does not count', ',a\n5,1\n7,2\n', /expected a name above column 0, .*index=False/],
    ['an index of words', ',a\nx,1\ny,2\n', /line 2: expected a number, got "x" in column 0 .*leave the index out/],
    ['a missing value', 'a,b\n1,\n', /got nothing in column 1 .*a missing value has no rank/],
    ['semicolons', '1;2\n3;4\n5;6', /line 2: expected a number, got "3;4" .*; separate the numbers by commas/],
    ['tabs', '1\t2\n3\t4\n', /line 2: expected a number, got .*; separate the numbers by commas/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(readCsv(file(text)), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        assert.ok(error.message.includes('features.csv') && !error.message.includes('\n'), error.message);
        return true;
      });
    });
  }

  it('refuses what is no text, in one line', async () => {
    const noise = Uint8Array.from({ length: 5000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
    for (const content of [noise, new Uint8Array(100), Buffer.from('\x93NUMPY\x01\x00', 'latin1')]) {
      await assert.rejects(readCsv(file(content)), (error) => {
        assert.ok(error instanceof InputError && !/[\n\r]/.test(error.message), String(error));
        return true;
      });
    }
  });

  it('refuses what does not fit into memory, with the size that would be needed', async () => {
    const path = file('1,2,3\n'.repeat(20000));
    // The rest is a hole: it takes no room on the disk, and is never read.
    truncateSync(path, 2 ** 40);
    await assert.rejects(readCsv(path), /features\.csv' needs 8\.8 TB of memory, .* are free/);
  });

  it('refuses a file that is not there, and a folder', async () => {
    await assert.rejects(readCsv(join(folder, 'none.csv')), /'.*none\.csv' cannot be read: there is no such file/);
    await assert.rejects(readCsv(folder), /cannot be read: expected a file, got a folder/);
  });
});
