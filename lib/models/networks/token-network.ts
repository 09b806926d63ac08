import { inPrecision, type Precision, type tf } from '../../tensor';
import type { LayerOutput, LoadedNetwork } from '../feature-layer';
import { inPieces, piecesFor } from './in-pieces';
import { onePass, type Passage } from './one-pass';
import { tokenBatch, withoutPadding, type TokenBatch } from './token-batch';
import type { Weights } from '../weights/weight-source';

/** What every language model's configuration says. */
export interface TokenNetworkConfig {
  readonly vocabularySize: number;
  /** The most tokens that an example may have. */
  readonly positions: number;
  readonly heads: number;
  /** Width of the MLP's hidden layer. */
  readonly intermediateSize: number;
}

/**
 * A network that takes token numbers `[B, n]`, int32, -1 for padding. `passage` says how one batch goes through it; it is
 * called in the network's precision, inside of tf.tidy.
 */
export function tokenNetwork(
  { vocabularySize, positions, heads, intermediateSize }: TokenNetworkConfig,
  weights: Weights,
  outputs: readonly LayerOutput[],
  precision: Precision,
  passage: (batch: TokenBatch) => Passage,
): LoadedNetwork {
  return {
    run: (tokens: tf.Tensor2D, contexts) =>
      inPrecision(precision, () => {
        const [batch, n] = tokens.shape;
        // The largest tensors: the MLP's hidden layer and the attention scores.
        const pieces = piecesFor(batch, Math.max(n * intermediateSize, heads * n * n), precision);
        return inPieces(tokens, pieces, (piece) => {
          const read = tokenBatch(piece, vocabularySize, positions);
          return withoutPadding(onePass(passage(read), outputs, contexts), read);
        });
      }),
    dispose: () => weights.dispose(),
  };
}
