/**
 * ViT-B/16, embeddings and layer 1, here and in PyTorch on the same machine and cores, in turns: milliseconds per image,
 * the best of several rounds. The query vectors alone are compared with PyTorch's whole layer, since it has no way to
 * leave the rest out. Then where our time goes. `npm run bench models`; ATTENTION_BENCH=quick for fewer rounds.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import models from 'attention-capacity/models/index';
import operations from 'attention-capacity/models/networks/operations';
import tensor from 'attention-capacity/tensor/index';

const { layers, loadLayers } = models;
const { inPrecision, tf, toTensor, valuesOf } = tensor;

const python = process.env.ATTENTION_TORCH_PYTHON;
if (!python)
  throw new Error('ATTENTION_TORCH_PYTHON names no Python with torch: start this with `npm run bench models`.');
const rounds = process.env.ATTENTION_BENCH === 'quick' ? 5 : 20;
/** The library takes images in eights; PyTorch may use the batch that suits it best. */
const batch = 8;
const torchBatches = [8, 32];

const reference = fileURLToPath(new URL('reference.py', import.meta.url));
const torch = spawn(python, [reference], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: torch.stdout })[Symbol.asyncIterator]();
console.log((await answers.next()).value);

async function torchMilliseconds(precision, size) {
  torch.stdin.write(`${precision} ${size}\n`);
  return Number((await answers.next()).value);
}

/** Values between -1 and 1, whatever they are: time does not depend on them. */
function filled(shape) {
  const size = shape.reduce((product, length) => product * length, 1);
  return toTensor(
    Float64Array.from({ length: size }, (_, i) => Math.sin(i)),
    shape,
  );
}

/** Milliseconds per image of one run, its result computed to the end and thrown away. */
function milliseconds(run) {
  const start = performance.now();
  tf.tidy(() => valuesOf(tf.slice(run().flatten(), 0, 1)));
  return (performance.now() - start) / batch;
}

const layer = layers.paper().find(({ name }) => name === 'random-vit-b16');
const line = (name, ...figures) =>
  console.log(name.padEnd(42) + figures.map((figure) => String(figure).padStart(10)).join(''));
line('milliseconds per image', 'here', 'PyTorch', 'ratio', 'wanted');
const results = [];
for (const precision of ['float32', 'float64']) {
  const loaded = await loadLayers([layer], precision);
  const pixels = inPrecision(precision, () => filled([batch, 3, 224, 224]));
  const run = (contexts) =>
    inPrecision(precision, () =>
      milliseconds(() => {
        const [outputs] = loaded.run(pixels, contexts);
        return outputs.contexts ?? outputs.queries;
      }),
    );
  const times = { contexts: [], queries: [], torch: [] };
  for (let round = 0; round <= rounds; round++) {
    times.contexts.push(run(true));
    times.queries.push(run(false));
    for (const size of torchBatches) times.torch.push(await torchMilliseconds(precision, size));
    // The first round warms up: memory, threads, caches.
    if (round === 0) for (const list of Object.values(times)) list.length = 0;
  }
  const best = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, Math.min(...list)]));
  for (const [name, ours, wanted] of [
    ['contexts and queries', best.contexts, 1],
    ['queries alone', best.queries, 2],
  ]) {
    const ratio = best.torch / ours;
    line(`${precision}, ${name}`, ours.toFixed(1), best.torch.toFixed(1), ratio.toFixed(2), wanted);
    results.push({ precision, name, milliseconds: ours, torchMilliseconds: best.torch, ratio, wanted });
  }
  loaded.dispose();
  pixels.dispose();
}
torch.stdin.end();

console.log('\nWhere the time goes, milliseconds per image');
line('', 'float32', 'float64');
const [n, d, width, heads] = [197, 768, 3072, 12];
for (const [name, part] of Object.entries({
  'patches to tokens (also each of Q, K, V, O)': ({ x, square }) => operations.linear(x, square),
  'LayerNorm (two of them)': ({ x, square }) =>
    operations.layerNorm(x, 1e-12, { weight: square.bias, bias: square.bias }),
  'attention, with its four maps': ({ x, square }) => {
    const maps = { query: square, key: square, value: square, output: square };
    return operations.attention(x, maps, heads, 1 / 8);
  },
  'MLP, first map': ({ x, widening }) => operations.linear(x, widening),
  GELU: ({ hidden }) => operations.activate(hidden, 'gelu'),
  'MLP, second map': ({ hidden, narrowing }) => operations.linear(hidden, narrowing),
})) {
  const figures = ['float32', 'float64'].map((precision) =>
    inPrecision(precision, () =>
      tf.tidy(() => {
        // As many images at once as the network itself takes.
        const images = precision === 'float32' ? batch : batch / 2;
        const given = {
          x: filled([images, n, d]),
          hidden: filled([images, n, width]),
          square: { weight: filled([d, d]), bias: filled([d]) },
          widening: { weight: filled([width, d]), bias: filled([width]) },
          narrowing: { weight: filled([d, width]), bias: filled([d]) },
        };
        const times = Array.from({ length: rounds + 1 }, () => milliseconds(() => part(given)));
        return Math.min(...times.slice(1)) * (batch / images);
      }),
    ),
  );
  line(name, ...figures.map((figure) => figure.toFixed(2)));
}
console.log(JSON.stringify({ results }));
