/** Single training steps, taken out of the trainer, to be timed; and tasks in the form that the reference reads. */
import config from 'attention-capacity/memorization/config';
import { freshCheckpoint } from 'attention-capacity/memorization/training/checkpoint';
import { ModelStack } from 'attention-capacity/memorization/training/stack';

/**
 * A stack of `models` in training, float32, classification into 100 classes: `time(count)` gives the milliseconds of each of
 * `count` steps, by the clock and of all cores, batch order and data gathering included; `flop` counts the multiplications and additions of the matrix
 * products of a step.
 */
export function stepOf({ heads, context, headSize, contexts, batch = 256, width = 64 }, models) {
  const shape = { heads, context, headSize, contexts, width, batch, examples: 4 * batch, task: 'classification' };
  const configs = Array.from({ length: models }, (_, seed) => config.memorizationConfig({ ...shape, seed }));
  const stack = new ModelStack(freshCheckpoint(configs));
  for (let i = 0; i < 10; i++) stack.step();
  return {
    flop: models * flopOf({ heads, context, headSize, contexts, batch, width, classes: 100 }),
    time: (count) =>
      Array.from({ length: count }, () => {
        const [start, busy] = [performance.now(), process.cpuUsage()];
        stack.step();
        return { ms: performance.now() - start, cpu: cpuMs(busy) };
      }),
    dispose: () => stack.dispose(),
  };
}

/** Milliseconds that all cores worked for this process since `start`. */
export function cpuMs(start) {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Two for each multiplication of a forward pass, and twice that for the way back. */
function flopOf({ heads: H, context: n, headSize: r, contexts, batch: B, width: d, classes: C }) {
  const m = contexts === 'shared' ? n : n + d;
  const perStep = 2 * H * m * d * r + m * d * d + H * m * d + H * d * C;
  const perExample = d * d + H * d * m + H * C + (contexts === 'shared' ? 0 : 2 * H * n * d);
  return 6 * (perStep + B * perExample);
}

/** [T, n + 1, d] float32, the query first: what the reference trains on. */
export function sequences({ setting: { examples: T, context: n, width: d, contexts }, queries, tokens, bagRows }) {
  const values = new Float32Array(T * (n + 1) * d);
  for (let t = 0; t < T; t++) {
    values.set(queries.subarray(t * d, (t + 1) * d), t * (n + 1) * d);
    for (let i = 0; i < n; i++) {
      const row = { shared: i, random: t * n + i, perm: bagRows?.[t * n + i] }[contexts];
      values.set(tokens.subarray(row * d, (row + 1) * d), (t * (n + 1) + i + 1) * d);
    }
  }
  return { data: values, shape: [T, n + 1, d] };
}
