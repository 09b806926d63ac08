import type { Statement } from './assumptions/measure';

/** A row of the paper's table: arXiv 2306.02010, section 3, and the numbers printed in its notebook. */
export interface PaperFinding {
  /** The paper's own mark. */
  readonly satisfied: boolean;
  /** Share of 5000 random subsets of full rank (of 1973 contexts for A2), where it was printed. */
  readonly fraction: number | null;
  /** Smallest and largest rank seen, where they were printed. */
  readonly ranks: readonly [number, number] | null;
}

/** T = 1973 ImageNet images, n = 197, d = 768, 5000 random subsets, `torch.linalg.matrix_rank` in float32. */
const findings: Readonly<Record<string, Partial<Record<Statement, PaperFinding>>>> = {
  'random-embeddings': {
    'general-position': { satisfied: false, fraction: 0, ranks: [1, 1] },
    A1: { satisfied: false, fraction: 0, ranks: [1, 1] },
    A2: { satisfied: true, fraction: 1, ranks: [197, 197] },
    A3: { satisfied: true, fraction: 1, ranks: [197, 197] },
  },
  'random-attention': {
    'general-position': { satisfied: false, fraction: 0, ranks: [463, 482] },
    A1: { satisfied: true, fraction: 1, ranks: [197, 197] },
    A2: { satisfied: true, fraction: 1, ranks: [197, 197] },
  },
  'random-vit-b16': {
    'general-position': { satisfied: false, fraction: 0, ranks: [710, 723] },
    A1: { satisfied: true, fraction: 1, ranks: [197, 197] },
    A2: { satisfied: true, fraction: 1, ranks: [197, 197] },
  },
  'vit-b16-in21k': {
    'general-position': { satisfied: false, fraction: 0, ranks: [309, 318] },
    A1: { satisfied: true, fraction: 0.9982, ranks: [196, 197] },
    A2: { satisfied: true, fraction: 1, ranks: [197, 197] },
  },
};

/**
 * What the paper found. Our default trained network, `trained-vit-s`, is not the paper's (ViT-B/16 pretrained on
 * ImageNet-21k); it stands in the same row because it plays the same part.
 */
export function paperFinding(system: string, statement: Statement): PaperFinding | null {
  return findings[system === 'trained-vit-s' ? 'vit-b16-in21k' : system]?.[statement] ?? null;
}
