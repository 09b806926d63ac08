import { cholesky, inFloat64, qr, tf, toTensor, triangularSolve, valuesOf, type Matrix } from '../../tensor';
import { featureChunks, scalarLabels } from './feature-matrix';
import { featuresPerHead } from '../theorem';
import type { Task } from '../task';

/**
 * `[Z y]`: the chosen columns of the feature matrix and, as the last column, the labels. Where there are more than twice as
 * many examples as columns, a triangle R with R^T R = [Z y]^T [Z y] in its place: the same singular values and the same
 * least squares, without ever holding Z.
 *
 * Householder QR of all rows would do, but most of its time goes into a Q that nobody wants. So the first rows are
 * factored, R_0, and for all further ones Cholesky's R of [Z y] R_0^-1 is enough: that matrix is well conditioned, since
 * all rows come from one distribution. Where R_0 itself is singular to working precision, every block is factored.
 */
export async function labelledFeatures(task: Task, vector: Float64Array, columns: readonly number[]): Promise<Matrix> {
  const width = columns.length + 1;
  const { examples } = task.setting;
  if (examples <= 2 * width) {
    const blocks = labelledBlocks(task, vector, columns, examples);
    try {
      return (await blocks.next()).value as Matrix;
    } finally {
      // A generator that is not read to its end must be closed, or its tensors and its progress bar stay.
      await blocks.return(undefined);
    }
  }
  let triangle: Matrix | null = null;
  let gram: Float64Array | null = null;
  for await (const block of labelledBlocks(task, vector, columns, 2 * width)) {
    if (triangle === null) {
      triangle = qrTriangle([block]);
      if (wellConditioned(triangle)) gram = identity(width);
    } else if (gram === null) {
      triangle = qrTriangle([triangle, block]);
    } else {
      gram = addedGram(gram, triangle, block);
    }
  }
  return gram === null ? triangle! : throughGram(gram, triangle!);
}

/** Rows of [Z y] in blocks of `blockRows`; the last may be shorter. */
async function* labelledBlocks(
  task: Task,
  vector: Float64Array,
  columns: readonly number[],
  blockRows: number,
): AsyncGenerator<Matrix> {
  const labels = scalarLabels(task);
  const features = task.setting.heads * featuresPerHead(task.setting);
  const width = columns.length + 1;
  const lengthOf = (example: number) => Math.min(blockRows, task.setting.examples - example) * width;
  let example = 0;
  let block = new Float64Array(lengthOf(0));
  let at = 0;
  for await (const chunk of featureChunks(task, vector)) {
    for (let start = 0; start < chunk.length; start += features) {
      for (const column of columns) block[at++] = chunk[start + column];
      block[at++] = labels[example++];
      if (at === block.length) {
        yield { data: block, shape: [block.length / width, width] };
        block = new Float64Array(lengthOf(example));
        at = 0;
      }
    }
  }
}

function qrTriangle(blocks: readonly Matrix[]): Matrix {
  const width = blocks[0].shape[1];
  const data = inFloat64(() => {
    const [, r] = qr(tf.concat(blocks.map((block) => toTensor(block.data, block.shape))));
    return valuesOf(r) as Float64Array;
  });
  return { data, shape: [data.length / width, width] };
}

function wellConditioned({ data, shape: [rows, width] }: Matrix): boolean {
  const diagonal = Array.from({ length: Math.min(rows, width) }, (_, i) => Math.abs(data[i * width + i]));
  return rows === width && Math.min(...diagonal) > 1e-12 * Math.max(...diagonal);
}

function identity(width: number): Float64Array {
  const values = new Float64Array(width * width);
  for (let i = 0; i < width; i++) values[i * width + i] = 1;
  return values;
}

/** gram + (B R^-1)^T (B R^-1) for the rows B of a block. */
function addedGram(gram: Float64Array, triangle: Matrix, block: Matrix): Float64Array {
  return inFloat64(() => {
    const rows = tf.transpose(toTensor(block.data, block.shape)); // B^T
    const r = toTensor(triangle.data, triangle.shape);
    const whitened = triangularSolve(r, rows, { lower: false, adjoint: true }); // R^-T B^T
    const added = tf.add(toTensor(gram, triangle.shape), tf.matMul(whitened, whitened, false, true));
    return valuesOf(added) as Float64Array;
  });
}

/** The triangle of all rows, chol(gram)^T R. */
function throughGram(gram: Float64Array, { data, shape }: Matrix): Matrix {
  const product = inFloat64(
    () => valuesOf(tf.matMul(cholesky(toTensor(gram, shape)), toTensor(data, shape), true)) as Float64Array,
  );
  return { data: product, shape };
}
