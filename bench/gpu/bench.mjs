/**
 * The same work on this machine's processor and on its GPU: does the GPU give the same verdicts and counts, how far are its
 * numbers from the processor's, does it repeat itself bit by bit, how fast is it? `npm run bench gpu`, after
 * `ATTENTION_DEVICE=gpu npm run setup`. Where there is no GPU it says so and does nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import tensor from 'attention-capacity/tensor/index';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-gpu-'));

function work(name, environment) {
  const env = { ...process.env, ...environment };
  const { status } = spawnSync(process.execPath, [join(here, 'work.mjs'), folder, name], { env, stdio: 'inherit' });
  if (status !== 0) console.log(`the work on the ${name} ended with status ${status}; what it had until then:`);
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')).pieces;
}

const gpuName = () =>
  spawnSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' }).stdout?.trim() ?? null;

/** Largest difference of two lists of numbers, relative to the largest number; "the same" for equal counts or words. */
function compared(processor, gpu) {
  if (JSON.stringify(processor) === JSON.stringify(gpu)) return 'the same';
  if (!Array.isArray(processor)) return `${JSON.stringify(processor)} / ${JSON.stringify(gpu)}`;
  let [difference, largest] = [0, 0];
  processor.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - gpu[i]));
    largest = Math.max(largest, Math.abs(value));
  });
  return (difference / largest).toExponential(1);
}

try {
  if (!tensor.tf.backend().isUsingGpuDevice) {
    console.log('no GPU: TensorFlow computes on the processor, there is nothing to compare.');
  } else {
    const onProcessor = work('processor', { CUDA_VISIBLE_DEVICES: '-1' });
    const onGpu = work('gpu', {});
    const rows = onGpu.map(({ title, milliseconds, repeats, result }) => {
      const reference = onProcessor.find((piece) => piece.title === title);
      const difference = compared(reference.result, result);
      return { title, processor: reference.milliseconds, gpu: milliseconds, repeats, difference };
    });
    for (const { title, processor, gpu, repeats, difference } of rows) {
      const times = [processor, gpu].map((time) => time.toFixed(1).padStart(10)).join('');
      console.log(`${title.padEnd(58)}${times}  ${repeats ? 'repeats' : 'differs'}  ${difference}`);
    }
    const machine = { processor: cpus()[0].model.trim(), cores: availableParallelism(), gpu: gpuName() };
    mkdirSync(join(here, 'results'), { recursive: true });
    writeFileSync(
      join(here, 'results', 'full.json'),
      `${JSON.stringify({ date: new Date().toISOString(), machine, rows }, null, 2)}\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
