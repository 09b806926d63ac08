import { inPrecision, tf, toTensor, type Precision } from '../../tensor';
import type { Affine, Linear } from './operations';
import type { WeightSource } from '../weights/weight-source';

/**
 * The tensors that a network asks for by name. The same requests either list the shapes (then what is returned is not to be
 * touched) or read the tensors into memory.
 */
export class Tensors {
  private constructor(
    private readonly request: Request,
    private readonly own: tf.Tensor[],
    private readonly prefix = '',
  ) {}

  /** Lists the shapes of what is asked for. */
  static listing(shapes: Map<string, readonly number[]>): Tensors {
    return new Tensors((name, shape) => {
      shapes.set(name, shape);
      return [];
    }, []);
  }

  /** Reads each tensor when it is asked for into the backend of `precision`. */
  static reading(source: WeightSource, precision: Precision): Tensors {
    return new Tensors(
      (name, shape, arrange) =>
        inPrecision(precision, () => tf.tidy(() => arrange(toTensor(source.read(name), shape)))),
      [],
    );
  }

  /** Those whose names begin with `prefix` and a dot; disposed with the others. */
  inside(prefix: string): Tensors {
    return new Tensors(this.request, this.own, `${this.prefix}${prefix}.`);
  }

  /** Keeps a tensor that was made of others until they are disposed. */
  keep<T extends tf.Tensor>(tensor: T): T {
    this.own.push(tensor);
    return tf.keep(tensor);
  }

  dispose(): void {
    tf.dispose(this.own.splice(0));
  }

  /** One tensor of a file in pieces; `arrange` says which, as they are kept. */
  pieces(name: string, shape: readonly number[], arrange: (tensor: tf.Tensor) => tf.Tensor[]): tf.Tensor[] {
    return this.request(this.prefix + name, shape, arrange).map((tensor) => this.keep(tensor));
  }

  get(name: string, shape: readonly number[]): tf.Tensor {
    return this.pieces(name, shape, (tensor) => [tensor])[0];
  }

  /** A linear map from d to m features, `[m, d]`, as `torch.nn.Linear` keeps it. */
  linear(name: string, d: number, m: number, bias = true): Linear {
    return {
      weight: this.get(`${name}.weight`, [m, d]) as tf.Tensor2D,
      bias: bias ? (this.get(`${name}.bias`, [m]) as tf.Tensor1D) : null,
    };
  }

  /** The map of a patch of 3 x p x p pixels to d features, a convolution: `[d, 3 p p]` and `[d]`. */
  patches(name: string, d: number, p: number): { weight: tf.Tensor2D; bias: tf.Tensor1D } {
    const [weight] = this.pieces(`${name}.weight`, [d, 3, p, p], (w) => [w.reshape([d, 3 * p * p])]);
    return { weight: weight as tf.Tensor2D, bias: this.get(`${name}.bias`, [d]) as tf.Tensor1D };
  }

  /** Gamma and beta of a LayerNorm. */
  affine(name: string, d: number): Affine {
    return {
      weight: this.get(`${name}.weight`, [d]) as tf.Tensor1D,
      bias: this.get(`${name}.bias`, [d]) as tf.Tensor1D,
    };
  }
}

type Request = (name: string, shape: readonly number[], arrange: (tensor: tf.Tensor) => tf.Tensor[]) => tf.Tensor[];
