import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from 'attention-capacity/input-error';
import { fileBytes, openSafetensors } from 'attention-capacity/data/files/safetensors';
import { memoryBytes, safetensorsBytes } from './safetensors-bytes';

const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
after(() => rmSync(folder, { recursive: true }));

/** A header with one tensor. */
const one = (dtype: string, shape: number[], bytes: number) => ({ t: { dtype, shape, data_offsets: [0, bytes] } });

function open(header: unknown, data: Uint8Array = new Uint8Array()) {
  return openSafetensors(memoryBytes(safetensorsBytes(header, data)));
}

test('every supported type comes out exactly', () => {
  const bytesOf = (values: { buffer: ArrayBufferLike }) => new Uint8Array(values.buffer);
  const cases: [string, Uint8Array, number[]][] = [
    ['F64', bytesOf(Float64Array.of(Math.PI, -0, 1e-320)), [Math.PI, -0, 1e-320]],
    ['F32', bytesOf(Float32Array.of(0.1, 3e38)), [Math.fround(0.1), Math.fround(3e38)]],
    // 1, -2, the largest, the smallest normal and subnormal, infinity
    [
      'F16',
      bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x7c00)),
      [1, -2, 65504, 2 ** -14, 2 ** -24, Infinity],
    ],
    ['BF16', bytesOf(Uint16Array.of(0x3f80, 0xc049)), [1, -3.140625]],
    ['I8', bytesOf(Int8Array.of(-128, 127)), [-128, 127]],
    ['U8', Uint8Array.of(0, 255), [0, 255]],
    ['I16', bytesOf(Int16Array.of(-32768, 32767)), [-32768, 32767]],
    ['U16', bytesOf(Uint16Array.of(65535)), [65535]],
    ['I32', bytesOf(Int32Array.of(-(2 ** 31))), [-(2 ** 31)]],
    ['U32', bytesOf(Uint32Array.of(2 ** 32 - 1)), [2 ** 32 - 1]],
    ['I64', bytesOf(BigInt64Array.of(-(2n ** 53n) + 1n)), [-(2 ** 53) + 1]],
    ['U64', bytesOf(BigUint64Array.of(2n ** 53n - 1n)), [2 ** 53 - 1]],
  ];
  for (const [dtype, data, expected] of cases) {
    const values = open(one(dtype, [expected.length], data.length), data).read('t');
    assert.deepEqual(Array.from(values), expected, dtype);
    assert.equal(values instanceof Float32Array, ['F32', 'F16', 'BF16'].includes(dtype), dtype);
  }
  assert.ok(Number.isNaN(open(one('F16', [1], 2), Uint8Array.of(1, 0x7c)).read('t')[0]));
});

test('metadata of null are none, as in the reference', () => {
  const file = safetensorsBytes(
    { __metadata__: null, t: { dtype: 'U8', shape: [2], data_offsets: [0, 2] } },
    Uint8Array.of(3, 4),
  );
  assert.deepEqual([...openSafetensors(memoryBytes(file)).read('t')], [3, 4]);
});

test('scalars, empty tensors, padding, metadata and unaligned offsets are fine', () => {
  const header = {
    __metadata__: { format: 'pt' },
    flag: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
    none: { dtype: 'F32', shape: [0, 7], data_offsets: [1, 1] },
    scalar: { dtype: 'F32', shape: [], data_offsets: [1, 5] },
  };
  const file = open(JSON.stringify(header) + '   ', Buffer.from([9, 0, 0, 128, 63]));
  assert.deepEqual([...file.entries.keys()], ['flag', 'none', 'scalar']);
  assert.deepEqual(Array.from(file.read('scalar')), [1]);
  assert.equal(file.read('none').length, 0);
});

test('what the format forbids is an InputError that says what', () => {
  const four = new Uint8Array(4);
  const eight = new Uint8Array(8);
  const tensor = (change: object) => ({ t: { dtype: 'F32', shape: [1], data_offsets: [0, 4], ...change } });
  const at = (begin: number) => ({ dtype: 'F32', shape: [1], data_offsets: [begin, begin + 4] });
  const cases: [string, Uint8Array, RegExp][] = [
    ['7 bytes', new Uint8Array(7), /has 7 bytes, fewer than the 8/],
    ['a header over 100 MB', Buffer.from('ffffffffffffffff', 'hex'), /header of 18446744073709551615 bytes \(at most/],
    ['a header past the end', safetensorsBytes({}, four).subarray(0, 9), /header of 2 bytes, but has only 1 after/],
    ['bad UTF-8', Buffer.from('0200000000000000c328', 'hex'), /that is not UTF-8/],
    ['a byte order mark', safetensorsBytes('\ufeff{}', new Uint8Array()), /does not begin with '\{'/],
    ['leading space', safetensorsBytes(' {}', new Uint8Array()), /does not begin with '\{'/],
    ['no JSON', safetensorsBytes('{"t": ', new Uint8Array()), /that is not JSON/],
    ['an array', safetensorsBytes('[]', new Uint8Array()), /does not begin with '\{'/],
    [
      'a name twice',
      safetensorsBytes(
        '{"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0074":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
        new Uint8Array(),
      ),
      /the key "t" twice/,
    ],
    [
      'a property twice',
      safetensorsBytes('{"t":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}', new Uint8Array()),
      /the key "dtype" twice/,
    ],
    [
      'metadata of numbers',
      safetensorsBytes({ __metadata__: { a: 1 } }, new Uint8Array()),
      /__metadata__ that is not a map from strings to strings/,
    ],
    [
      'a tensor that is a list',
      safetensorsBytes({ t: [] }, new Uint8Array()),
      /"t" that is not described by an object/,
    ],
    ['no offsets', safetensorsBytes(tensor({ data_offsets: undefined }), four), /"t" that has the offsets undefined/],
    ['an unknown property', safetensorsBytes(tensor({ device: 'cpu' }), four), /unknown property "device"/],
    ['an unknown type', safetensorsBytes(tensor({ dtype: 'toString' }), four), /unknown type "toString"/],
    ['a negative size', safetensorsBytes(tensor({ shape: [-1] }), four), /the shape \[-1\]/],
    ['a broken size', safetensorsBytes(tensor({ shape: [0.5] }), four), /the shape \[0.5\]/],
    ['offsets in reverse', safetensorsBytes(tensor({ data_offsets: [4, 0] }), four), /the offsets \[4,0\]/],
    ['three offsets', safetensorsBytes(tensor({ data_offsets: [0, 4, 4] }), four), /the offsets \[0,4,4\]/],
    [
      'shape x type too large',
      safetensorsBytes(tensor({ shape: [2] }), four),
      /needs 8 bytes for F32 \[2\], but has offsets that span 4/,
    ],
    ['a product beyond 2^64', safetensorsBytes(tensor({ shape: [2 ** 40, 2 ** 40] }), four), /needs .* bytes for/],
    [
      'an end past the file',
      safetensorsBytes(tensor({ shape: [2], data_offsets: [0, 8] }), four),
      /"t" that ends at byte \d+ of \d+/,
    ],
    ['bytes after the last', safetensorsBytes(tensor({}), eight), /has 4 bytes after its last tensor/],
    ['a hole', safetensorsBytes({ a: at(0), b: at(5) }, new Uint8Array(9)), /a hole of 1 bytes before its tensor "b"/],
    ['a hole at the start', safetensorsBytes({ a: at(4) }, eight), /a hole of 4 bytes before its tensor "a"/],
    ['overlap', safetensorsBytes({ a: at(0), b: at(3) }, new Uint8Array(7)), /"b" that overlaps the tensor before it/],
    ['the same place twice', safetensorsBytes({ a: at(0), b: at(0) }, four), /overlaps the tensor before it/],
    ['numbers that are no header', Buffer.from(Float64Array.of(1, 2, 3).buffer), /claims a header of/],
  ];
  for (const [name, bytes, message] of cases) {
    assert.throws(
      () => openSafetensors(memoryBytes(bytes)),
      (error: Error) => error instanceof InputError && message.test(error.message),
      name,
    );
  }
});

test('types without exact numbers here are refused when they are read, not before', () => {
  const file = open({ a: { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] } }, Uint8Array.of(1, 2));
  assert.throws(
    () => file.read('a'),
    (error: Error) => error instanceof InputError && /expected F64, .* got F8_E4M3/.test(error.message),
  );
  const large = open(one('I64', [1], 8), new Uint8Array(BigInt64Array.of(2n ** 60n).buffer));
  assert.throws(() => large.read('t'), /expected integers that float64 holds exactly, got \d+/);
  assert.throws(() => large.read('u'), /expected a tensor u, found none of that name/);
});

test('files: read tensor by tensor, and a file that shrinks meanwhile is noticed', () => {
  const path = join(folder, 'a.safetensors');
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const entry = (begin: number) => ({ dtype: 'F32', shape: [2], data_offsets: [begin, begin + 8] });
  writeFileSync(path, safetensorsBytes({ first: entry(0), second: entry(8) }, data));
  const file = openSafetensors(fileBytes(path));
  assert.deepEqual(Array.from(file.read('second')), [3, 4]);
  truncateSync(path, file.entries.get('second')!.begin + 3);
  assert.throws(
    () => file.read('second'),
    (error: Error) => error instanceof InputError && /ended at byte/.test(error.message),
  );
  assert.throws(() => openSafetensors(fileBytes(join(folder, 'none'))), /cannot be read: ENOENT/);
  assert.throws(() => openSafetensors(fileBytes(folder)), InputError);
});
