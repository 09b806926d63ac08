/**
 * BEiT (Bao et al., arXiv 2106.08254), following transformers' `modeling_beit.py`: a ViT without absolute positions, as a rule.
 * Instead each block, or all together, adds to the scores of a head a number that depends on how many rows and columns lie
 * between two patches; the class token has three numbers of its own. Keys have no bias, and lambda (LayerScale) scales what
 * attention and the MLP add. The query vector e(t) is the class token's row.
 */
import { tf, toTensor, valuesOf } from '../../tensor';
import type { Architecture, ImageConfig } from './architecture';
import { preNorm } from './block';
import { activate, feedForward, layerNorm, linear, type Activation, type Grid } from './operations';
import { imageConfig, patchEmbedding, prepended } from './patches';
import { resizeGrid } from '../../data/images/resize-grid';

export interface BeitConfig extends ImageConfig {
  readonly activation: Activation;
  readonly layerNormEps: number;
  readonly absolutePositions: boolean;
  /** Whose the tables of relative positions are. */
  readonly relativePositions: { readonly ofBlocks: boolean; readonly ofAll: boolean };
  readonly layerScale: boolean;
}

const TABLE = 'relative_position_bias.relative_position_bias_table';

export const beit: Architecture<BeitConfig> = {
  input: 'images',
  query: 'first',
  prefix: 'beit',

  configuration(file) {
    const scale = file.get('layer_scale_init_value', 0.1);
    return {
      ...imageConfig(file, 16),
      layerNormEps: file.number('layer_norm_eps', 1e-12),
      absolutePositions: file.boolean('use_absolute_position_embeddings', false),
      relativePositions: {
        ofBlocks: file.boolean('use_relative_position_bias', false),
        ofAll: file.boolean('use_shared_relative_position_bias', false),
      },
      layerScale: typeof scale !== 'number' || scale > 0,
    };
  },

  embed(config, tensors) {
    const { hiddenSize: d, patchSize, imageSize, absolutePositions } = config;
    const patches = Math.floor(imageSize / patchSize) ** 2;
    const inside = tensors.inside('embeddings');
    const classToken = inside.get('cls_token', [1, 1, d]);
    const learned = absolutePositions ? inside.get('position_embeddings', [1, 1 + patches, d]) : null;
    const embedded = patchEmbedding(inside, config, {
      projection: 'patch_embeddings.projection',
      positions: learned ? () => learned.slice([0, 1, 0], [1, patches, d]) : undefined,
    });
    return (pixels) => {
      const first = learned ? tf.add(classToken, learned.slice([0, 0, 0], [1, 1, d])) : classToken;
      return prepended(first, embedded(pixels));
    };
  },

  block(config, tensors, block) {
    const {
      hiddenSize: d,
      heads,
      intermediateSize,
      activation,
      layerNormEps,
      layerScale,
      imageSize,
      patchSize,
    } = config;
    const { ofBlocks, ofAll } = config.relativePositions;
    const side = Math.floor(imageSize / patchSize);
    const inside = tensors.inside(`encoder.layer.${block - 1}`);
    const norm1 = inside.affine('layernorm_before', d);
    const map = (name: string, bias = true) => inside.linear(`attention.attention.${name}`, d, d, bias);
    const maps = { query: map('query'), key: map('key', false), value: map('value') };
    const joining = inside.linear('attention.output.dense', d, d);
    const norm2 = inside.affine('layernorm_after', d);
    const mlpIn = inside.linear('intermediate.dense', d, intermediateSize);
    const mlpOut = inside.linear('output.dense', intermediateSize, d);
    const shape = [(2 * side - 1) ** 2 + 3, heads];
    const tables = [
      ...(ofAll ? [tensors.get(`encoder.${TABLE}`, shape)] : []),
      ...(ofBlocks ? [inside.get(`attention.attention.${TABLE}`, shape)] : []),
    ];
    const scaling = (name: string) => {
      if (!layerScale) return (x: tf.Tensor) => x;
      const lambda = inside.get(name, [d]);
      return (x: tf.Tensor) => tf.mul(x, lambda);
    };
    const [scaleAttention, scaleMlp] = [scaling('lambda_1'), scaling('lambda_2')];
    const onGrid = (grid: Grid) => ({
      bias: tf.tidy(() => tables.map((table) => biasOf(table, side, grid)).reduce((a, b) => tf.add(a, b))),
    });
    return preNorm({
      attention: { maps, heads, scale: 1 / Math.sqrt(d / heads), ...(tables.length > 0 && { onGrid }) },
      norm1: (x) => layerNorm(x, layerNormEps, norm1),
      join: (x) => scaleAttention(linear(x, joining)),
      norm2: (x) => layerNorm(x, layerNormEps, norm2),
      mlp: (x) => scaleMlp(feedForward(x, (y) => activate(linear(y, mlpIn), activation), mlpOut)),
    });
  },
};

/**
 * What is added to the scores, `[1, H, n, n]`, by a table `[(2 side - 1)^2 + 3, H]`: a row for each difference of positions, then
 * those of class token to patch, patch to class token, and class token to itself. It is resized for another grid.
 */
function biasOf(table: tf.Tensor, side: number, { rows, columns }: Grid): tf.Tensor4D {
  const heads = table.shape[1]!;
  const [learned, down, across] = [2 * side - 1, 2 * rows - 1, 2 * columns - 1];
  const differences = down * across;
  const ofPatches = table.slice([0, 0], [learned ** 2, heads]);
  const resized =
    down === learned && across === learned
      ? ofPatches
      : toTensor(resizeGrid(valuesOf(ofPatches), [learned, learned], [down, across], heads, 'bilinear'), [
          differences,
          heads,
        ]);
  const n = 1 + rows * columns;
  const entries = new Int32Array(n * n);
  const [row, column] = [(i: number) => Math.floor((i - 1) / columns), (i: number) => (i - 1) % columns];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i > 0 && j > 0) {
        entries[i * n + j] = (row(i) - row(j) + rows - 1) * across + (column(i) - column(j) + columns - 1);
      } else entries[i * n + j] = differences + (i > 0 ? 1 : j > 0 ? 0 : 2);
    }
  }
  const all = tf.concat([resized, table.slice([learned ** 2, 0], [3, heads])]);
  const found = tf.gather(all, tf.tensor1d(entries, 'int32')).reshape([n, n, heads]);
  return tf.transpose(found, [2, 0, 1]).expandDims(0);
}
