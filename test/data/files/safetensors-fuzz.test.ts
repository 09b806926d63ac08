/**
 * Damaged files: whatever bytes come, the reader either refuses them with an InputError or gives tensors that lie inside
 * of the file, one after the other, each with as many numbers as its shape says. 20 000 files, 100 000 in `npm run test:all`.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { InputError } from 'attention-capacity/input-error';
import { openSafetensors } from 'attention-capacity/data/files/safetensors';
import { randomSource, type Random } from 'attention-capacity/tensor';
import { memoryBytes, safetensorsBytes } from './safetensors-bytes';

const FILES = process.env.ATTENTION_TEST_ALL ? 100_000 : 20_000;
const READABLE = /^(F64|F32|F16|BF16|[IU](8|16|32|64))$/;

/** A valid file of one to five tensors. */
function validFile(random: Random): Uint8Array {
  const header: Record<string, unknown> = random.integer(3) === 0 ? { __metadata__: { format: 'pt', é: '"\\{' } } : {};
  const types = [
    ['F64', 8],
    ['F32', 4],
    ['F16', 2],
    ['BF16', 2],
    ['I64', 8],
    ['I32', 4],
    ['U8', 1],
    ['BOOL', 1],
  ] as const;
  let end = 0;
  for (let tensor = random.integer(5); tensor >= 0; tensor--) {
    const [dtype, width] = types[random.integer(types.length)];
    const shape = Array.from({ length: random.integer(4) }, () => random.integer(5));
    const begin = end;
    end += width * shape.reduce((product, size) => product * size, 1);
    header[`layer.${tensor}.weight`] = { dtype, shape, data_offsets: [begin, end] };
  }
  return safetensorsBytes(
    header,
    Uint8Array.from({ length: end }, () => random.integer(256)),
  );
}

const NUMBERS = [
  '0',
  '1',
  '-1',
  '4',
  '8',
  '255',
  '4294967296',
  '9007199254740993',
  '18446744073709551615',
  '1e400',
  '0.5',
  'null',
];
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\\u0000',
  '{}',
  '"a":1,',
  '[[[[',
  '\0',
  'F16',
  '"dtype"',
  '__proto__',
];

/** One change to a file: bytes, sizes, or the header's text with its length set right again. */
const mutations: ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, random.integer(bytes.length)),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random.integer(9))]),
  (bytes, random) => {
    const at = random.integer(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random.integer(20)))]);
  },
  (bytes, random) => {
    const at = random.integer(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.integer(bytes.length))]);
  },
  (bytes, random) => {
    bytes.writeBigUInt64LE(BigInt(random.integer(2 ** 32)) << BigInt(random.integer(33)));
    return bytes;
  },
  (bytes, random) => {
    bytes.writeBigUInt64LE(BigInt(random.integer(bytes.length + 9)));
    return bytes;
  },
  withHeader((text, random) => replaceOne(text, /\d+/g, NUMBERS[random.integer(NUMBERS.length)], random)),
  withHeader((text, random) => replaceOne(text, /\d+/g, String(random.integer(64)), random)),
  withHeader((text, random) =>
    replaceOne(text, /"[A-Z0-9]+"/g, `"${['F64', 'F32', 'U8', 'F8', ''][random.integer(5)]}"`, random),
  ),
  withHeader((text, random) => {
    const at = random.integer(text.length + 1);
    return text.slice(0, at) + PIECES[random.integer(PIECES.length)] + text.slice(at);
  }),
  withHeader((text, random) => replaceOne(text, /"[^"]*"/g, '"layer.0.weight"', random)),
  withHeader((text, random) => {
    const [a, b] = [random.integer(text.length + 1), random.integer(text.length + 1)].sort((x, y) => x - y);
    return text.slice(0, b) + text.slice(a);
  }),
];

function withHeader(change: (text: string, random: Random) => string): (bytes: Buffer, random: Random) => Buffer {
  return (bytes, random) => {
    const length = Math.min(Number(bytes.readBigUInt64LE()), bytes.length - 8);
    const text = change(bytes.toString('latin1', 8, 8 + length), random);
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([head, Buffer.from(text, 'latin1'), bytes.subarray(8 + length)]);
  };
}

function replaceOne(text: string, pattern: RegExp, replacement: string, random: Random): string {
  const matches = [...text.matchAll(pattern)];
  if (matches.length === 0) return text;
  const { index = 0, 0: found } = matches[random.integer(matches.length)];
  return text.slice(0, index) + replacement + text.slice(index + found.length);
}

test(`${FILES} damaged files: refused, or read within their bounds`, (t) => {
  const random = randomSource(0, 'safetensors-fuzz');
  let accepted = 0;
  let slowest = 0;
  for (let number = 0; number < FILES; number++) {
    let bytes: Buffer = Buffer.from(validFile(random));
    for (let change = random.integer(3); change >= 0 && bytes.length >= 8; change--) {
      bytes = mutations[random.integer(mutations.length)](bytes, random);
    }
    const start = performance.now();
    if (readAll(bytes, number)) accepted++;
    slowest = Math.max(slowest, performance.now() - start);
  }
  t.diagnostic(`${accepted} were still valid, the slowest took ${slowest.toFixed(1)} ms`);
  // Some changes touch only numbers or make another valid header; most must be noticed.
  assert.ok(accepted > 0 && accepted < FILES / 3, `${accepted} of ${FILES} were accepted`);
});

/** Reads all of a file; false if it was refused. Fails for every other outcome, with the bytes in the message. */
function readAll(bytes: Buffer, number: number): boolean {
  const what = `file ${number}: ${bytes.toString('base64')}`;
  let file;
  try {
    file = openSafetensors(memoryBytes(bytes));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw new Error(what, { cause: error });
  }
  let filled = 8 + Number(bytes.readBigUInt64LE());
  for (const [name, { dtype, shape, begin, end }] of [...file.entries].sort(
    ([, a], [, b]) => a.begin - b.begin || a.end - b.end,
  )) {
    assert.equal(begin, filled, what);
    filled = end;
    if (!READABLE.test(dtype)) continue;
    try {
      const expected = shape.reduce((product, size) => product * size, 1);
      assert.equal(file.read(name).length, expected, what);
    } catch (error) {
      // 64-bit integers may lie beyond what a double can hold; that is all that a checked file may still be refused for
      if (!(error instanceof InputError && dtype.endsWith('64'))) throw new Error(what, { cause: error });
    }
  }
  assert.equal(filled, bytes.length, what);
  return true;
}
