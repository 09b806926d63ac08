/** Query vectors of your own, from a file or from images that pass through a layer, and everything that can be said about them. */
import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, isAbsolute, join, resolve } from 'node:path';
import {
  cacheFolder,
  fileTrouble,
  imageFolder,
  type MatrixFile,
  photos,
  projectRoot,
  requireMemory,
  type SkippedFile,
  writeNpy,
} from '../../data';
import { type FeatureSummary, summarize } from './summary';
import { computeFeatures } from '../../features/features';
import { InputError } from '../../input-error';
import { readMatrixFile } from '../../data/files/read-matrix';
import { type FeatureLayer, layers } from '../../models';
import {
  type KruskalCurve,
  type KruskalTest,
  kruskalCurve,
  rankAt,
  relativeTolerance,
  singularValues,
  testKruskalRank,
} from '../../rank';
import { type KruskalBounds, searchKruskalRank } from '../../rank/kruskal-bounds';
import { epsilonOf, type Matrix, type Precision } from '../../tensor';

/** Query vectors `[T, d]`, one row an example, and where they come from. */
export interface YourFeatures extends MatrixFile {
  /** The file's or the folder's name. */
  readonly name: string;
  /** Where they come from, in words. */
  readonly origin: string;
  /** What each row is, such as the image's file; null when a row has nothing but its number. */
  readonly rowNames: readonly string[] | null;
  /** Files of a folder that are not usable images. */
  readonly skipped: readonly SkippedFile[];
}

export interface OpenFeaturesOptions {
  /** Which tensor of a `.safetensors` file. */
  readonly tensor?: string;
  /** The layer that a folder's images pass through; layer 1 of the first notebook's trained ViT unless given. */
  readonly layer?: FeatureLayer;
}

/**
 * Opens what `path` names: a matrix in a `.npy`, `.csv` or `.safetensors` file, or a folder of JPEG and PNG images, of
 * which a layer computes the query vectors in float64. A path that does not exist here is also looked for in the project's folder.
 *
 * @throws InputError when there is no such file, when it does not hold a finite matrix, or when it is too large for the memory.
 */
export async function openFeatures(path: string, options: OpenFeaturesOptions = {}): Promise<YourFeatures> {
  const found = locate(path);
  if (statSync(found).isDirectory()) {
    if (options.tensor === undefined) return throughLayer(found, options.layer ?? trainedLayer());
    throw new InputError(`expected a .safetensors file for the tensor '${options.tensor}', got the folder '${path}'`);
  }
  const matrix = await readMatrixFile(found, { tensor: options.tensor });
  const name = basename(found);
  const origin = options.tensor === undefined ? name : `${name}, tensor ${options.tensor}`;
  return { ...matrix, name, origin, rowNames: null, skipped: [] };
}

function locate(path: string): string {
  const candidates = isAbsolute(path) ? [path] : [resolve(path), join(projectRoot(), path)];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw fileTrouble(Object.assign(new Error(path), { code: 'ENOENT' }), path, 'read');
}

async function throughLayer(folder: string, layer: FeatureLayer): Promise<YourFeatures> {
  const images = await imageFolder(folder);
  const [{ queries }] = await computeFeatures([layer], images, { precision: 'float64', contexts: false });
  return {
    ...queries,
    dtype: 'float64',
    name: basename(resolve(folder)),
    origin: `${layer.title}, of the images in ${basename(resolve(folder))}, computed in float64`,
    rowNames: images.files ?? null,
    skipped: images.skipped,
  };
}

/** The first notebook's trained layer; that notebook leaves its features in the cache. */
function trainedLayer(): FeatureLayer {
  return layers.paper({ seed: 0 })[3];
}

/**
 * An example from real data: the query vectors of layer 1 of the first notebook's trained ViT on crops of photographs, in
 * float64, written to a `.npy` file as yours might be. Returns the file's path.
 */
export async function exampleFeatures({ photos: crops }: { readonly photos: number }): Promise<string> {
  const layer = trainedLayer();
  const images = await photos({ crops, seed: 0 });
  const [{ queries }] = await computeFeatures([layer], images, { precision: 'float64', contexts: false });
  await mkdir(cacheFolder('examples'), { recursive: true });
  const path = cacheFolder('examples', `${layer.name}-layer-1-${crops}-photos.npy`);
  await writeNpy(path, queries);
  return path;
}

/** All verdicts at one tolerance. */
export interface VerdictsAtTolerance {
  readonly rtol: Precision;
  /**
   * True when the numbers are spaced more widely than this tolerance resolves: their rounding alone makes them look
   * independent, so "independent" says nothing about the vectors before rounding.
   */
  readonly belowResolution: boolean;
  /** The ratio to sigma_max that counts as zero, and the rank, of all rows together. */
  readonly tolerance: number;
  readonly rank: number;
  /** Estimates: random subsets of each size. */
  readonly tests: readonly KruskalTest[];
  /** Estimates: every size at once. */
  readonly curve: KruskalCurve;
  /** Certified: bounds that hold for every subset, and a dependent set that was found. */
  readonly bounds: KruskalBounds;
}

export interface FeatureAnalysis {
  readonly features: YourFeatures;
  readonly summary: FeatureSummary;
  /** The singular values of all rows together, descending. */
  readonly spectrum: Float64Array;
  /** At float32's tolerance, then at float64's. */
  readonly verdicts: readonly VerdictsAtTolerance[];
  readonly seed: number;
}

export interface AnalysisOptions {
  /** Sizes of random subsets; default: four quarters of min(T, d). */
  readonly ks?: readonly number[];
  readonly draws: number;
  /** Random permutations behind the curve. */
  readonly permutations: number;
  /** What the search for certified bounds may spend at each tolerance: some 10^9 a second. */
  readonly searchOperations: number;
  readonly seed: number;
}

/**
 * Everything at once: spectrum, Kruskal tests at several k, the whole curve, and the bounds that hold for every subset,
 * at the tolerances of float32 and of float64. Arithmetic is float64.
 *
 * @throws InputError when a k is above min(T, d), or the work does not fit into the memory.
 */
export async function analyseFeatures(features: YourFeatures, options: AnalysisOptions): Promise<FeatureAnalysis> {
  const [T, d] = features.shape;
  // Scaled copies of the rows, and the inner products of all pairs where the search keeps them.
  requireMemory(8 * (4 * T * d + 3 * Math.min(T, 6000) ** 2), `the analysis of ${features.name} (${T} x ${d})`);
  const ks = options.ks ?? quarters(Math.min(T, d));
  const bad = ks.find((k) => !Number.isInteger(k) || k < 1 || k > Math.min(T, d));
  if (bad !== undefined) {
    throw new InputError(
      `${features.name} (${T} x ${d}): expected a whole number k from 1 to ${Math.min(T, d)}, got ${bad}`,
    );
  }
  const summary = summarize(features);
  const spectrum = singularValues(features);
  const verdicts: VerdictsAtTolerance[] = [];
  for (const rtol of ['float32', 'float64'] as const) {
    const tolerance = relativeTolerance(rtol, T, d);
    verdicts.push({
      rtol,
      belowResolution: summary.resolution > epsilonOf(rtol),
      tolerance,
      rank: rankAt(spectrum, tolerance),
      ...(await judge(features, ks, rtol, verdicts[0]?.tests, options)),
    });
  }
  return { features, summary, spectrum, verdicts, seed: options.seed };
}

async function judge(
  features: Matrix,
  ks: readonly number[],
  rtol: Precision,
  measured: readonly KruskalTest[] | undefined,
  { draws, permutations, searchOperations, seed }: AnalysisOptions,
): Promise<Pick<VerdictsAtTolerance, 'tests' | 'curve' | 'bounds'>> {
  const tests: KruskalTest[] = [];
  for (const [i, k] of ks.entries()) {
    // The subsets are the same at every tolerance, and so are their singular values.
    const ratios = measured?.[i].sigmaRatio;
    const sigmaDraws = ratios ? 0 : 20;
    const test = await testKruskalRank(features, { k, draws, seed, rtol, ranksDraws: draws, sigmaDraws });
    tests.push(ratios ? { ...test, sigmaRatio: ratios } : test);
  }
  const curve = await kruskalCurve(features, { permutations, seed, rtol });
  const known = tests.flatMap(({ witness }) => (witness ? [witness.rows] : []));
  const bounds = await searchKruskalRank(features, { rtol, seed, known, operations: searchOperations });
  return { tests, curve, bounds };
}

function quarters(most: number): number[] {
  return [...new Set([1, 2, 3, 4].map((quarter) => Math.max(1, Math.round((quarter * most) / 4))))];
}
