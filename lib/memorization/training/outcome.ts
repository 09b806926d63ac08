import { describe, type MemorizationConfig } from '../config';
import type { Evaluation } from './evaluate';
import type { Saturation } from './saturation';

/** A finished training. Loss, accuracy, fitted examples and saturation are those of the best evaluation, the one of least loss. */
export interface MemorizationResult {
  readonly config: MemorizationConfig;
  /** Numbers in the model. */
  readonly parameters: number;
  /** Steps done; fewer than the configuration's after an early stop. */
  readonly steps: number;
  readonly seconds: number;
  /** Mean cross-entropy in nats or mean squared error, over all examples. */
  readonly loss: number;
  /** null for a regression. */
  readonly accuracy: number | null;
  /** Examples memorized, as an {@link Evaluation} counts them. */
  readonly fitted: number;
  readonly bestStep: number;
  readonly saturation: Saturation;
  readonly evaluations: readonly Evaluation[];
}

/** A training whose loss is NaN or infinite. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
  constructor(
    readonly config: MemorizationConfig,
    readonly step: number,
  ) {
    super(
      `${describe(config)}: expected a finite loss, got NaN or infinity after ${step} steps; ` +
        `try a lower learning rate than ${config.learningRate}.`,
    );
  }
}

/** How the training of one model ended. */
export type Outcome = MemorizationResult | Diverged;
