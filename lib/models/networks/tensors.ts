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
    /** Reads rows of a table `[rows, d]` where it is not to be held as a whole; null: it is. */
    private readonly rowsOf: ((name: string, rows: readonly number[]) => tf.Tensor) | null,
    private readonly own: tf.Tensor[] = [],
    private readonly prefix = '',
  ) {}

  /** Lists the shapes of what is asked for. */
  static listing(shapes: Map<string, readonly number[]>): Tensors {
    return new Tensors((name, shape) => {
      shapes.set(name, shape);
      return [];
    }, null);
  }

  /** Reads each tensor when it is asked for into the backend of `precision`; of tables rows only, if asked to and possible. */
  static reading(source: WeightSource, precision: Precision, tablesByRows = false): Tensors {
    const request: Request = (name, shape, arrange) =>
      inPrecision(precision, () => tf.tidy(() => arrange(toTensor(source.read(name), shape))));
    const rows = tablesByRows ? source.rows?.bind(source) : undefined;
    const rowsOf = (name: string, indices: readonly number[]) =>
      toTensor(rows!(name, indices), [indices.length, source.shapes.get(name)![1]]);
    return new Tensors(request, rows ? rowsOf : null);
  }

  /** Those whose names begin with `prefix` and a dot; disposed with the others. */
  inside(prefix: string): Tensors {
    return new Tensors(this.request, this.rowsOf, this.own, `${this.prefix}${prefix}.`);
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

  /** Rows of a table `[rows, d]`, one for each number of a tensor: `[...]`, int32 -> `[..., d]`. */
  table(name: string, rows: number, d: number): (ids: tf.Tensor) => tf.Tensor {
    const { rowsOf } = this;
    if (rowsOf === null) {
      const table = this.get(name, [rows, d]);
      return (ids) => tf.gather(table, ids as tf.Tensor1D);
    }
    return (ids) => {
      const numbers = ids.dataSync();
      const distinct = [...new Set(numbers)].sort((a, b) => a - b);
      const places = new Map(distinct.map((id, place) => [id, place]));
      const found = tf.tensor(
        Int32Array.from(numbers, (id) => places.get(id)!),
        ids.shape,
        'int32',
      );
      return tf.gather(rowsOf(this.prefix + name, distinct), found as tf.Tensor1D);
    };
  }

  /** A linear map from d to m features, `[m, d]`, as `torch.nn.Linear` keeps it. */
  linear(name: string, d: number, m: number, bias = true): Linear {
    return {
      weight: this.get(`${name}.weight`, [m, d]) as tf.Tensor2D,
      bias: bias ? (this.get(`${name}.bias`, [m]) as tf.Tensor1D) : null,
    };
  }

  /**
   * `count` linear maps from d to m features in one tensor, one after the other: `[count m, d]`. `transposed`: `[d, count m]`,
   * transformers' `Conv1D`. `heads`: they take turns, a head of each after another.
   */
  linears(
    name: string,
    count: number,
    d: number,
    m: number,
    { bias = true, transposed = false, heads = 1 }: { bias?: boolean; transposed?: boolean; heads?: number } = {},
  ): Linear[] {
    const apart = (tensor: tf.Tensor, width: number[]) => {
      const byHead = tensor.reshape([heads, count, m / heads, ...width]);
      const byMap = tf.transpose(byHead, [1, 0, 2, ...width.map(() => 3)]); // [count, heads, m / heads, ...]
      return tf.unstack(byMap.reshape([count, m, ...width]));
    };
    const shape = transposed ? [d, count * m] : [count * m, d];
    const weights = this.pieces(`${name}.weight`, shape, (w) => apart(transposed ? tf.transpose(w) : w, [d]));
    const biases = bias ? this.pieces(`${name}.bias`, [count * m], (b) => apart(b, [])) : [];
    return weights.map((weight, i) => ({ weight: weight as tf.Tensor2D, bias: (biases[i] as tf.Tensor1D) ?? null }));
  }

  /** The map of a patch of 3 x p x p pixels to d features, a convolution: `[d, 3 p p]`, and `[d]` where it has a bias. */
  patches(name: string, d: number, p: number, bias = true): Linear {
    const [weight] = this.pieces(`${name}.weight`, [d, 3, p, p], (w) => [w.reshape([d, 3 * p * p])]);
    return { weight: weight as tf.Tensor2D, bias: bias ? (this.get(`${name}.bias`, [d]) as tf.Tensor1D) : null };
  }

  /** Gamma and beta of a LayerNorm; beta is 0 where there is none. */
  affine(name: string, d: number, bias = true): Affine {
    const beta = (gamma: tf.Tensor) => (bias ? [gamma] : [gamma, tf.zerosLike(gamma)]);
    const [weight, zeros] = this.pieces(`${name}.weight`, [d], beta) as tf.Tensor1D[];
    return { weight, bias: bias ? (this.get(`${name}.bias`, [d]) as tf.Tensor1D) : zeros };
  }
}

type Request = (name: string, shape: readonly number[], arrange: (tensor: tf.Tensor) => tf.Tensor[]) => tf.Tensor[];
