import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readNpy, writeNpy } from 'attention-capacity/data';
import { fileBytes, openSafetensors } from 'attention-capacity/data/files/safetensors';
import { difference, GOLDEN, readGolden, type Picks } from '../models/golden';
import { integerPixels } from '../models/integer-weights';
import { safetensorsBytes } from '../data/files/safetensors-bytes';
import { attentionCapacity, json, refusal, temporaryFolder } from './command';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const vit = join(GOLDEN, 'checkpoint-vit');
const photographs = join(GOLDEN, '..', 'data', 'images');

test.before(() => writeNpy(at('pixels.npy'), { data: Float32Array.from(integerPixels(2, 12)), shape: [2, 3, 12, 12] }));

test('pixels through a Hugging Face folder give the hidden states that transformers gives', async () => {
  const golden = readGolden<{ layers: readonly Picks[] }>('checkpoint-vit');
  for (const precision of ['float32', 'float64'] as const) {
    for (const layer of [0, 1, 2]) {
      const { status, stdout, stderr } = await attentionCapacity(
        ...['features', '--model', vit, '--layer', String(layer), '--pixels', at('pixels.npy')],
        ...['--precision', precision, '--out', at('queries.npy'), '--contexts', at('contexts.npy')],
        ...['--context-ranks', at('ranks.npy')],
      );
      assert.equal(status, 0, stderr);
      assert.match(stdout, /queries\.npy: 2 x 16 query vectors/);
      const contexts = await readNpy(at('contexts.npy'));
      assert.deepEqual([contexts.dtype, contexts.shape], [precision, [2, 10, 16]]);
      const values = contexts.data as Float64Array;
      const error = difference(`layer ${layer}`, values, contexts.shape, golden.layers[layer]);
      assert.ok(error < (precision === 'float64' ? 1e-10 : 1e-5), `${error}`);
      const queries = await readNpy(at('queries.npy'));
      assert.deepEqual([queries.dtype, queries.shape], [precision, [2, 16]]);
      const firstTokens = [0, 1].flatMap((t) => Array.from(values.subarray(t * 160, t * 160 + 16)));
      // The last block computes the query alone where that is enough, so the sums may be taken in another order.
      const rounding = precision === 'float64' ? 1e-15 : 1e-7;
      (queries.data as Float64Array).forEach((value, i) => assert.ok(Math.abs(value - firstTokens[i]) < rounding));
      const ranks = await readNpy(at('ranks.npy'));
      assert.deepEqual([ranks.dtype, ranks.shape], ['int32', [2]]);
      assert.deepEqual([...ranks.data], [10, 10]);
    }
  }
});

test('a folder of images: rows in the order of the sorted names, files that are none skipped and named', async () => {
  const images = at('images');
  mkdirSync(images);
  for (const name of ['rgb.png', 'chroma-full.jpg', 'grey.png', 'cut-short.png']) {
    copyFileSync(join(photographs, name), join(images, name));
  }
  writeFileSync(join(images, 'notes.txt'), 'no image');
  const options = ['--model', vit, '--layer', '2', '--precision', 'float64'];
  const out = at('images.npy');
  const { status, stdout, stderr } = await attentionCapacity(
    ...['features', ...options, '--images', images, '--out', out, '--json'],
  );
  assert.equal(status, 0, stderr);
  const result = JSON.parse(stdout) as {
    files: string[];
    skipped: number;
    skippedFiles: { file: string; reason: string }[];
    queries: { shape: number[] };
  };
  assert.deepEqual(result.files, ['chroma-full.jpg', 'rgb.png']);
  assert.deepEqual([result.skipped, result.queries.shape], [3, [2, 16]]);
  assert.deepEqual(
    result.skippedFiles.map(({ file, reason }) => [file, reason.length > 5]),
    ['cut-short.png', 'grey.png', 'notes.txt'].map((file) => [file, true]),
  );
  assert.match(stderr, /^note: 3 of 5 files skipped: cut-short\.png \(.*\), grey\.png \(.*\), notes\.txt \(.*\)$/m);

  const alone = at('alone');
  mkdirSync(alone);
  copyFileSync(join(photographs, 'rgb.png'), join(alone, 'rgb.png'));
  await json('features', ...options, '--images', alone, '--out', at('alone.npy'));
  const [all, one] = [await readNpy(out), await readNpy(at('alone.npy'))];
  // In another batch the sums may be taken in another order.
  const last = (all.data as Float64Array).subarray(16);
  (one.data as Float64Array).forEach((value, i) => assert.ok(Math.abs(value - last[i]) < 1e-15));
});

test('tensors that the layer does not need may be missing or too many: one line each', async () => {
  const { status, stderr } = await attentionCapacity(
    ...['features', '--model', vit, '--layer', '1', '--pixels', at('pixels.npy'), '--out', at('noted.npy')],
  );
  assert.equal(status, 0);
  const lines = stderr.trimEnd().split('\n');
  assert.ok(lines.length <= 2 && lines.every((line) => line.startsWith('note: ')), stderr);
  assert.match(stderr, /not used: .*classifier/);
});

test('a tensor that the layer needs and the file lacks is an error; one that a later layer needs is a note', async () => {
  const partial = at('partial');
  mkdirSync(partial);
  copyFileSync(join(vit, 'config.json'), join(partial, 'config.json'));
  const whole = openSafetensors(fileBytes(join(vit, 'model.safetensors')));
  const names = [...whole.entries.keys()].filter((name) => !/layers?\.1\./.test(name));
  const parts: Uint8Array[] = [];
  let end = 0;
  const header = Object.fromEntries(
    names.map((name) => {
      const values = whole.read(name) as Float32Array;
      parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      const data_offsets = [end, (end += values.byteLength)];
      return [name, { dtype: 'F32', shape: whole.entries.get(name)!.shape, data_offsets }];
    }),
  );
  writeFileSync(join(partial, 'model.safetensors'), safetensorsBytes(header, Buffer.concat(parts)));
  const run = (layer: string) =>
    attentionCapacity(
      ...['features', '--model', partial, '--layer', layer, '--pixels', at('pixels.npy'), '--out', at('partial.npy')],
    );
  const first = await run('1');
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stderr, /^note: .*not there: /m);
  const second = await run('2');
  assert.equal(second.status, 2);
  assert.match(second.stderr, /^attention-capacity: [^\n]*model\.safetensors[^\n]*\n$/);
});

test('pixels of another size than the network was made for, also not square, whatever its processor says', async () => {
  const oblong = Float32Array.from(integerPixels(2, 18, 13));
  await writeNpy(at('oblong.npy'), { data: oblong, shape: [2, 3, 18, 13] });
  const unknown = at('unknown-processor');
  mkdirSync(unknown);
  for (const name of ['config.json', 'model.safetensors']) copyFileSync(join(vit, name), join(unknown, name));
  writeFileSync(join(unknown, 'preprocessor_config.json'), '{"image_processor_type": "VideoMAEImageProcessor"}');
  for (const [model, layer, d] of [
    [vit, '2', 16],
    [unknown, 'attention', 16],
  ] as const) {
    const { stdout, stderr, status } = await attentionCapacity(
      ...['features', '--model', model, '--layer', layer, '--pixels', at('oblong.npy')],
      ...['--out', at('oblong-q.npy'), '--contexts', at('oblong-c.npy'), '--json'],
    );
    assert.equal(status, 0, stderr);
    const { contexts } = JSON.parse(stdout) as { contexts: { shape: number[] } };
    assert.deepEqual(contexts.shape, [2, 1 + 4 * 3, d]);
  }
  assert.match(
    await refusal(...['features', '--model', unknown, '--layer', '1', '--images', photographs, '--out', 'q.npy']),
    /got "VideoMAEImageProcessor"; make the pixels with it, and give --pixels/,
  );
});

test('grey, palette and alpha images with --convert-rgb; a note names it where they are skipped', async () => {
  const images = at('of-all-kinds');
  mkdirSync(images);
  const names = ['rgb.png', 'grey.png', 'alpha.png', 'palette.png', 'lies-on-its-side.jpg'];
  for (const name of names) copyFileSync(join(photographs, name), join(images, name));
  const options = ['features', '--model', vit, '--layer', '1', '--images', images, '--out', at('kinds.npy'), '--json'];
  const plain = await attentionCapacity(...options);
  assert.match(plain.stderr, /3 of 5 files skipped: .*\nnote: --convert-rgb takes grey, palette/);
  assert.match(plain.stderr, /1 of 2 images were turned as their EXIF orientation says\n/);
  const { files, exifApplied } = (await json(...options, '--convert-rgb')) as { files: string[]; exifApplied: number };
  assert.deepEqual([files, exifApplied], [[...names].sort(), 1]);
});

test('a folder that is called as a set is not passed over', async () => {
  const folder = temporaryFolder();
  const options = ['features', '--model', join(GOLDEN, 'checkpoint-vit'), '--layer', '1', '--out', 'q.npy', '--images'];
  const before = process.cwd();
  process.chdir(folder);
  try {
    for (const name of ['photos', 'cifar10']) {
      mkdirSync(name);
      assert.match(await refusal(...options, name), new RegExp(`got '${name}', which names both; write ./${name} for`));
    }
  } finally {
    process.chdir(before);
  }
});

test('each bad input gets one line, and nothing is written', async (t) => {
  process.env.HF_HUB_OFFLINE = '1';
  t.after(() => delete process.env.HF_HUB_OFFLINE);
  const out = ['--out', at('refused.npy')];
  const pixels = ['--pixels', at('pixels.npy')];
  const layer = ['--layer', '1'];
  const model = ['--model', vit];
  mkdirSync(at('empty'));
  await writeNpy(at('low.npy'), { data: new Float32Array(3 * 3 * 16), shape: [1, 3, 3, 16] });
  await writeNpy(at('flat.npy'), { data: new Float32Array(12), shape: [3, 4] });
  const bad = Float32Array.from(integerPixels(2, 12));
  bad[3 * 144 + 7] = NaN;
  await writeNpy(at('nan.npy'), { data: bad, shape: [2, 3, 12, 12] });
  const cases: [string[], RegExp][] = [
    [[...layer, ...out, ...pixels], /required option '--model <name>' not specified/],
    [[...model, ...out, ...pixels], /required option '--layer <layer>' not specified/],
    [[...model, ...layer, ...out], /expects --images .*, --pixels, --text or --tokens; give one of them/],
    [
      [...model, ...layer, ...out, ...pixels, '--images', 'photos'],
      /'--images <set>' cannot be used with option '--pixels <file>'/,
    ],
    [
      [...model, '--layer', 'last', ...out, ...pixels],
      /--layer expects a whole number from 0 up or 'attention', got 'last'/,
    ],
    [[...model, '--layer', '3', ...out, ...pixels], /expected a layer from 0 \(the embeddings\) to 2, got 3/],
    [
      [...model, ...layer, '--out', 'queries.txt', ...pixels],
      /--out expects the name of a \.npy file, got 'queries\.txt'/,
    ],
    [[...model, ...layer, ...out, ...pixels, '--contexts', at('refused.npy')], /expect different files, got /],
    [
      [...model, ...layer, ...out, ...pixels, '--precision', 'half'],
      /--precision expects float32 or float64, got 'half'/,
    ],
    [
      ['--model', 'no such model', ...layer, ...out, ...pixels],
      /--model expects random-vit-b16, .* a Hugging Face folder or a name on its hub, got 'no such model'/,
    ],
    [
      ['--model', 'trained-vits', ...layer, ...out, ...pixels],
      /--model trained-vits: the built-in models are random-vit-b16, trained-vit-s, .*; as a name on the hub: trained-vits is not/,
    ],
    [['--model', at('empty'), ...layer, ...out, ...pixels], /config\.json/],
    [
      [...model, ...layer, ...out, '--pixels', at('low.npy')],
      /--pixels expects \[T, 3, H, W\] for checkpoint-vit, H and W at least 4, .*, got \[1, 3, 3, 16\]/,
    ],
    [[...model, ...layer, ...out, '--pixels', at('flat.npy')], /flat\.npy': expected normalised pixels \[T, 3, H, W\]/],
    [
      [...model, ...layer, ...out, '--pixels', at('nan.npy')],
      /nan\.npy': expected finite pixels, got NaN in example 1/,
    ],
    [[...model, ...layer, ...out, '--pixels', at('absent.npy')], /absent\.npy'/],
    [[...model, ...layer, ...out, '--images', at('empty')], /empty': expected JPEG or PNG images, got an empty folder/],
    [[...model, ...layer, ...out, '--text', 'lines.txt'], /takes images: it expects --images or --pixels, not text/],
    [[...model, ...layer, ...out, '--images', at('nowhere')], /nowhere' cannot be read/],
    [
      [...model, ...layer, ...out, '--images', 'photos:none'],
      /--images photos:count expects a whole number of at least 1, got 'none'/,
    ],
    [[...model, ...layer, ...out, '--images', 'cifar10:0'], /--images cifar10:count expects .* got '0'/],
    [[...model, ...layer, '--out', at('no/such/folder.npy'), ...pixels], /folder\.npy' cannot be written/],
  ];
  for (const [args, expected] of cases) {
    assert.match(await refusal('features', ...args), expected);
  }
  assert.ok(!existsSync(at('refused.npy')));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.partial')),
    [],
  );
});
