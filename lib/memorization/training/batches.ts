import { randomSource } from '../../tensor';

/**
 * Which examples each step sees: every pass over them in an order of its own, which depends on the seed and the number of
 * the pass only, so that a run can be taken up at any step. The last batch of a pass may be shorter.
 */
export class BatchOrder {
  private pass = -1;
  private order: Int32Array = new Int32Array(0);
  private readonly stepsPerPass: number;

  constructor(
    private readonly examples: number,
    private readonly batch: number,
    private readonly seed: number,
  ) {
    this.stepsPerPass = Math.ceil(examples / batch);
  }

  /** The examples of step `step`, from 0: a view that the next call may overwrite. */
  at(step: number): Int32Array {
    const pass = Math.floor(step / this.stepsPerPass);
    if (pass !== this.pass) {
      this.order = randomSource(this.seed, 'memorization', 'batches', pass).permutation(this.examples);
      this.pass = pass;
    }
    const from = (step % this.stepsPerPass) * this.batch;
    return this.order.subarray(from, from + this.batch);
  }
}
