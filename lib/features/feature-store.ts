import { createHash } from 'node:crypto';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, readNpy, writeNpy, type ExampleSet } from '../data';
import type { FeatureLayer } from '../models';
import { kernels, type Matrix, type Precision } from '../tensor';

/** A run of examples: first to last, the last not included. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** What one layer computes for the examples of one part; see `ContextFeatures` for the fields. */
export interface FeaturePart {
  readonly queries: Float32Array | Float64Array;
  readonly meanShifted: Float32Array | Float64Array | null;
  readonly ranks: Int32Array | null;
  readonly sigmaRatios: Float64Array | null;
  /** Batches of rows of `[T, 2 H]`. */
  readonly attention: readonly (Float32Array | Float64Array)[] | null;
}

/** What of the contexts is kept: nothing, their ranks and means, or the singular values of some of them as well. */
export type ContextStatistics = 'nothing' | 'ranks' | 'sigmas';

/** What is kept of a layer beside its query vectors; of the contexts, only those of the first `contextExamples` examples. */
export interface Wanted {
  readonly contexts: ContextStatistics;
  readonly contextExamples: number;
  readonly attention: boolean;
}

interface StoredContexts {
  readonly meanShifted: Matrix;
  readonly ranks: Int32Array;
  readonly sigmaRatios: Float64Array | null;
}

/** Belongs to every key: to be raised whenever the same inputs would give other numbers. */
const REVISION = 2;

/**
 * The features of one layer, one set of examples and one precision on disk: NumPy files in a folder of the cache that is
 * named by the hash of all they follow from. Each file appears whole or not at all.
 */
export class FeatureStore {
  private readonly folder: string;

  constructor(
    readonly layer: FeatureLayer,
    examples: ExampleSet,
    private readonly precision: Precision,
    readonly wanted: Wanted,
  ) {
    const { name, provenance } = layer;
    const preprocessing = layer.input === 'images' ? layer.preprocessing : 'tokens';
    const origin = {
      revision: REVISION,
      kernels,
      name,
      output: provenance.layer,
      provenance,
      preprocessing,
      images: examples.hash,
      precision,
    };
    const key = createHash('sha256').update(JSON.stringify(origin)).digest('hex').slice(0, 20);
    this.folder = cacheFolder('features', `${name}-${examples.name}-${precision}-${key}`);
  }

  /** What is kept of the contexts of a part: what was asked for, up to the last example whose context was. */
  wantedOf({ start }: Part): ContextStatistics {
    return start < this.wanted.contextExamples ? this.wanted.contexts : 'nothing';
  }

  async has(part: Part): Promise<boolean> {
    const wanted = this.wantedOf(part);
    const kinds = ['queries'];
    if (wanted !== 'nothing') kinds.push('ranks');
    if (wanted === 'sigmas') kinds.push('context-sigma-ratios');
    if (this.wanted.attention) kinds.push('attention');
    const present = await Promise.all(
      kinds.map((kind) =>
        access(this.file(part, kind)).then(
          () => true,
          () => false,
        ),
      ),
    );
    return present.every(Boolean);
  }

  async write(part: Part, { queries, meanShifted, ranks, sigmaRatios, attention }: FeaturePart): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const shape = [part.end - part.start, this.layer.d];
    await writeNpy(this.file(part, 'queries'), { data: queries, shape });
    if (attention) {
      const width = 2 * this.layer.heads;
      const data = this.floats(shape[0] * width);
      let at = 0;
      for (const rows of attention) {
        data.set(rows, at);
        at += rows.length;
      }
      await writeNpy(this.file(part, 'attention'), { data, shape: [shape[0], width] });
    }
    if (!meanShifted || !ranks) return;
    await writeNpy(this.file(part, 'mean-shifted'), { data: meanShifted, shape });
    if (sigmaRatios) {
      await writeNpy(this.file(part, 'context-sigma-ratios'), { data: sigmaRatios, shape: [sigmaRatios.length] });
    }
    // Last, for its presence says that the contexts of the part are done.
    await writeNpy(this.file(part, 'ranks'), { data: ranks, shape: [ranks.length] });
  }

  async read(
    parts: readonly Part[],
  ): Promise<{ queries: Matrix; contexts: StoredContexts | null; attention: Matrix | null }> {
    const { d, heads } = this.layer;
    return {
      queries: await this.matrix(parts, 'queries', d),
      contexts: this.wanted.contexts === 'nothing' ? null : await this.readContexts(parts),
      attention: this.wanted.attention ? await this.matrix(parts, 'attention', 2 * heads) : null,
    };
  }

  private async readContexts(parts: readonly Part[]): Promise<StoredContexts> {
    const withContexts = parts.filter((part) => this.wantedOf(part) !== 'nothing');
    const ranks = new Int32Array(withContexts[withContexts.length - 1].end);
    const sigmaRatios: number[] = [];
    for (const part of withContexts) {
      ranks.set((await readNpy(this.file(part, 'ranks'))).data as Int32Array, part.start);
      if (this.wanted.contexts === 'sigmas') {
        sigmaRatios.push(...((await readNpy(this.file(part, 'context-sigma-ratios'))).data as Float64Array));
      }
    }
    const meanShifted = await this.matrix(withContexts, 'mean-shifted', this.layer.d);
    return { meanShifted, ranks, sigmaRatios: sigmaRatios.length > 0 ? Float64Array.from(sigmaRatios) : null };
  }

  private async matrix(parts: readonly Part[], kind: string, width: number): Promise<Matrix> {
    const rows = parts[parts.length - 1].end;
    const data = this.floats(rows * width);
    for (const part of parts) {
      const { data: values } = await readNpy(this.file(part, kind));
      data.set(values as Float64Array, part.start * width);
    }
    return { data, shape: [rows, width] };
  }

  private floats(count: number): Float32Array | Float64Array {
    return new (this.precision === 'float64' ? Float64Array : Float32Array)(count);
  }

  private file({ start, end }: Part, kind: string): string {
    return join(this.folder, `${start}-${end}-${kind}.npy`);
  }
}
