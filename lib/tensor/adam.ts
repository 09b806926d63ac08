import { scalar } from './convert';
import { tf } from './tensorflow';

/** The constants of {@link Adam}, as its paper names them; the defaults are the paper's and PyTorch's. */
export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/**
 * Adam (Kingma & Ba, 2015, algorithm 1; PyTorch's `torch.optim.Adam` without weight decay), in the precision of its
 * variables. tfjs has one of its own, but that rounds its constants to float32.
 *
 * It is made, stepped and disposed in one precision. The learning rate is given anew with each step.
 */
export class Adam {
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly epsilon: number;
  private readonly moments: { first: tf.Tensor; second: tf.Tensor }[];
  private steps = 0;

  constructor(
    private readonly variables: readonly tf.Variable[],
    { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {},
  ) {
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    this.moments = variables.map((variable) => ({
      first: tf.keep(tf.zerosLike(variable)),
      second: tf.keep(tf.zerosLike(variable)),
    }));
  }

  /** Moves each variable against its gradient (same order, same shapes). The gradients stay the caller's to dispose. */
  step(gradients: readonly tf.Tensor[], learningRate: number): void {
    if (gradients.length !== this.variables.length) {
      throw new RangeError(`Adam has ${this.variables.length} variables, but ${gradients.length} gradients came.`);
    }
    this.steps++;
    // With these two, the bias corrections of both moments cost nothing per element.
    const secondCorrection = Math.sqrt(1 - this.beta2 ** this.steps);
    const rate = (learningRate * secondCorrection) / (1 - this.beta1 ** this.steps);
    tf.tidy(() => {
      const [beta1, beta2] = [scalar(this.beta1), scalar(this.beta2)];
      const [gain1, gain2] = [scalar(1 - this.beta1), scalar(1 - this.beta2)];
      const [epsilon, scale] = [scalar(this.epsilon * secondCorrection), scalar(rate)];
      this.variables.forEach((variable, i) => {
        const { first, second } = this.moments[i];
        const nextFirst = tf.keep(first.mul(beta1).add(gradients[i].mul(gain1)));
        const nextSecond = tf.keep(second.mul(beta2).add(gradients[i].square().mul(gain2)));
        variable.assign(variable.sub(nextFirst.div(nextSecond.sqrt().add(epsilon)).mul(scale)));
        this.moments[i] = { first: nextFirst, second: nextSecond };
        tf.dispose([first, second]);
      });
    });
  }

  /** Frees the moments; the variables stay. */
  dispose(): void {
    for (const { first, second } of this.moments) tf.dispose([first, second]);
    this.moments.length = 0;
  }
}
