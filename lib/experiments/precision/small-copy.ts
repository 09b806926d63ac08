import { begin } from '../../work';
import { relativeTolerance, singularValues } from '../../rank';
import { randomSource } from '../../tensor';
import { add, at, dd, divide, multiply, negate, put, type DoubleDouble, type DoubleDoubles } from './double-double';
import { referenceQueries } from './reference-queries';
import { shapesOf, tokenCount } from '../../models/networks/architecture';
import { vit, vitInitialisation, type ViTConfig } from '../../models/networks/vit';
import type { ImageModel } from '../../models';
import { randomWeights } from '../../models/weights/random';

/** A ViT with all parts of the large one, small enough to look at every subset: n = 5 tokens, d = 8. */
const SMALL: ViTConfig = {
  layout: 'vit',
  hiddenSize: 8,
  depth: 1,
  heads: 2,
  intermediateSize: 32,
  activation: 'gelu',
  layerNormEps: 1e-12,
  qkvBias: true,
  patchSize: 4,
  imageSize: 8,
};

/** Every d-subset of the query vectors of a small network, decided in double-double arithmetic. */
export interface SmallCopy {
  readonly system: string;
  readonly images: number;
  readonly n: number;
  readonly d: number;
  readonly seed: number;
  /** All of them: `images` choose d. */
  readonly subsets: number;
  /** How many are independent in double-double arithmetic: elimination leaves no pivot below 1e-26 of the largest. */
  readonly independent: number;
  /** Smallest ratio of the last pivot to the first, over all subsets. */
  readonly smallestPivotRatio: number;
  /** How many are independent at float32's tolerance (SVD of the vectors rounded to double). */
  readonly independentAtFloat32: number;
}

/** Pivots are computed to about 1e-30 of the largest; below this a subset would not be called independent. */
const PIVOT_FLOOR = 1e-26;

/**
 * General position, decided for every subset and not for a sample: `images` noise images of 8 x 8 pixels through random
 * attention and through layer 1 of a random ViT with n = 5 and d = 8, the query vectors and the elimination of every one of
 * the d-subsets in double-double arithmetic.
 */
export async function smallCopies({ images, seed }: { images: number; seed: number }): Promise<SmallCopy[]> {
  const results: SmallCopy[] = [];
  for (const output of ['attention', 1] as const) {
    const { query } = await referenceQueries(smallModel(seed), output, seed);
    const vectors = Array.from({ length: images }, (_, image) => {
      const random = randomSource(seed, 'small-copy-image', image);
      return query(Float64Array.from({ length: 3 * SMALL.imageSize ** 2 }, () => 2 * random.uniform() - 1));
    });
    results.push(await everySubset(vectors, output === 'attention' ? 'random attention' : 'random ViT, layer 1', seed));
  }
  return results;
}

async function everySubset(vectors: readonly DoubleDoubles[], system: string, seed: number): Promise<SmallCopy> {
  const d = SMALL.hiddenSize;
  const tolerance = relativeTolerance('float32', d, d);
  let subsets = 0;
  let independent = 0;
  let independentAtFloat32 = 0;
  let smallestPivotRatio = Infinity;
  const work = begin(`every ${d}-subset of ${vectors.length} small query vectors`, binomial(vectors.length, d));
  try {
    for (const subset of combinations(vectors.length, d)) {
      const rows = subset.map((index) => vectors[index]);
      const ratio = pivotRatio(rows);
      subsets++;
      if (ratio > PIVOT_FLOOR) independent++;
      smallestPivotRatio = Math.min(smallestPivotRatio, ratio);
      const values = singularValues({ data: Float64Array.from(rows.flatMap((row) => [...row.hi])), shape: [d, d] });
      if (values[d - 1] > tolerance * values[0]) independentAtFloat32++;
      await work.advance(subsets);
    }
  } finally {
    work.end();
  }
  return {
    system,
    images: vectors.length,
    n: tokenCount(SMALL, SMALL.imageSize, SMALL.imageSize),
    d,
    seed,
    subsets,
    independent,
    smallestPivotRatio,
    independentAtFloat32,
  };
}

/** Gaussian elimination with complete pivoting of a square matrix, row by row: |last pivot| / |first pivot|. */
export function pivotRatio(rows: readonly DoubleDoubles[]): number {
  const d = rows.length;
  const matrix = rows.map(({ hi, lo }) => ({ hi: hi.slice(), lo: lo.slice() }));
  let first = 0;
  for (let step = 0; step < d; step++) {
    let [bestRow, bestColumn] = [step, step];
    for (let row = step; row < d; row++) {
      for (let column = step; column < d; column++) {
        if (Math.abs(matrix[row].hi[column]) > Math.abs(matrix[bestRow].hi[bestColumn])) {
          [bestRow, bestColumn] = [row, column];
        }
      }
    }
    [matrix[step], matrix[bestRow]] = [matrix[bestRow], matrix[step]];
    for (const row of matrix) swap(row, step, bestColumn);
    const pivot = at(matrix[step], step);
    if (step === 0) first = Math.abs(pivot.hi);
    if (pivot.hi === 0) return 0;
    if (step === d - 1) return Math.abs(pivot.hi) / first;
    for (let row = step + 1; row < d; row++) {
      const factor = negate(divide(at(matrix[row], step), pivot));
      for (let column = step + 1; column < d; column++) {
        put(matrix[row], column, add(at(matrix[row], column), multiply(factor, at(matrix[step], column))));
      }
    }
  }
  return 1;
}

function swap(row: DoubleDoubles, a: number, b: number): void {
  const kept: DoubleDouble = at(row, a);
  put(row, a, at(row, b));
  put(row, b, dd(kept.hi, kept.lo));
}

function* combinations(count: number, size: number): Generator<number[]> {
  const chosen = Array.from({ length: size }, (_, index) => index);
  for (;;) {
    yield [...chosen];
    let place = size - 1;
    while (place >= 0 && chosen[place] === count - size + place) place--;
    if (place < 0) return;
    chosen[place]++;
    for (let next = place + 1; next < size; next++) chosen[next] = chosen[next - 1] + 1;
  }
}

function binomial(count: number, size: number): number {
  let result = 1;
  for (let i = 1; i <= size; i++) result = (result * (count - size + i)) / i;
  return Math.round(result);
}

function smallModel(seed: number): ImageModel<ViTConfig> {
  return {
    name: 'small-vit',
    title: 'small random ViT',
    architecture: vit,
    config: SMALL,
    preprocessing: () => {
      throw new Error('the small copy takes pixels, not images');
    },
    inputSize: SMALL.imageSize,
    provenance: { model: 'small ViT', seed },
    weights: () => Promise.resolve(randomWeights(seed, 'small-vit', shapesOf(vit, SMALL), vitInitialisation)),
  };
}
