import type { InputBatch } from './input-batch';
import { toInput } from './input-batch';
import type { LayerBatch, LoadedLayers, Wish } from '../models';
import { inPrecision, tf, type Precision } from '../tensor';

export interface Pass {
  readonly precision: Precision;
  /** The first example, and the one after the last. */
  readonly start: number;
  readonly end: number;
  /** Consecutive examples, as the networks take them. */
  read(indices: readonly number[]): InputBatch | Promise<InputBatch>;
  readonly contexts: Wish;
  readonly attention?: Wish;
  /**
   * Takes what each layer made of a batch whose first example is `from`; runs in the backend of the precision, and the tensors
   * are disposed when it returns. What then is to be awaited, such as writing to a file, it returns as a function.
   */
  take(outputs: readonly LayerBatch[], from: number): void | (() => Promise<void>);
  /** Called after every batch with the example that comes next. */
  advance(next: number): Promise<void>;
}

/** Passes examples once through layers in memory, batch by batch. */
export async function passExamples(layers: LoadedLayers, pass: Pass): Promise<void> {
  const { precision, start, end } = pass;
  for (let from = start; from < end; from += layers.together) {
    const next = Math.min(from + layers.together, end);
    const batch = await pass.read(Array.from({ length: next - from }, (_, index) => from + index));
    const write = inPrecision(precision, () => {
      const input = toInput(batch);
      const outputs = layers.run(input, pass.contexts, pass.attention);
      try {
        return pass.take(outputs, from);
      } finally {
        input.dispose();
        for (const { queries, contexts, attention } of outputs) {
          tf.dispose([queries, contexts, attention].filter((tensor) => tensor !== null));
        }
      }
    });
    await write?.();
    await pass.advance(next);
  }
}
