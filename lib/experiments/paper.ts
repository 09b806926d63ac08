/** What the paper (arXiv 2306.02010) and its notebooks print: every figure of theirs that a table or figure of ours shows. */
import type { Statement } from './assumptions/measure';

/** The share of draws from which on the paper calls a statement satisfied (it does so at 0.9982). */
export const PAPER_MARK = 0.99;

/**
 * The paper's mark for a share of random subsets: undecided while its 95 % interval holds 0.99 on both sides. A share that was
 * counted and not sampled is its own interval.
 */
export function paperMark({ ci95 }: { readonly ci95: readonly [number, number] }): 'holds' | 'fails' | 'undecided' {
  if (ci95[0] >= PAPER_MARK) return 'holds';
  return ci95[1] < PAPER_MARK ? 'fails' : 'undecided';
}

/** Random subsets behind each of its shares. */
export const PAPER_DRAWS = 5000;

/** A row of the paper's table: section 3, and the numbers printed in its notebook. */
export interface PaperFinding {
  /** The paper's own mark. */
  readonly satisfied: boolean;
  /** Share of 5000 random subsets of full rank (of 1973 contexts for A2), where it was printed. */
  readonly fraction: number | null;
  /** Smallest and largest rank seen, where they were printed. */
  readonly ranks: readonly [number, number] | null;
}

type Statements<Finding> = Readonly<Record<string, Partial<Record<Statement, Finding>>>>;

const allOfRank197: PaperFinding = { satisfied: true, fraction: 1, ranks: [197, 197] };

/** T = 1973 ImageNet images, n = 197, d = 768, `torch.linalg.matrix_rank` in float32. */
const findings: Statements<PaperFinding> = {
  'random-embeddings': {
    'general-position': { satisfied: false, fraction: 0, ranks: [1, 1] },
    A1: { satisfied: false, fraction: 0, ranks: [1, 1] },
    A2: allOfRank197,
    A3: allOfRank197,
  },
  'random-attention': {
    'general-position': { satisfied: false, fraction: 0, ranks: [463, 482] },
    A1: allOfRank197,
    A2: allOfRank197,
  },
  'random-vit-b16': {
    'general-position': { satisfied: false, fraction: 0, ranks: [710, 723] },
    A1: allOfRank197,
    A2: allOfRank197,
  },
  'vit-b16-in21k': {
    'general-position': { satisfied: false, fraction: 0, ranks: [309, 318] },
    A1: { satisfied: true, fraction: 0.9982, ranks: [196, 197] },
    A2: allOfRank197,
  },
};

/**
 * What the paper found. Our default trained network, `trained-vit-s`, is not the paper's (ViT-B/16 pretrained on
 * ImageNet-21k); it stands in the same row because it plays the same part.
 */
export function paperFinding(system: string, statement: Statement): PaperFinding | null {
  return findings[system === 'trained-vit-s' ? 'vit-b16-in21k' : system]?.[statement] ?? null;
}

/** The k at which the paper's curve leaves 1 and reaches 0 (read off its notebook, k = 1, 11, …), where it draws one. */
export function paperFall(system: string): readonly [number, number] | null {
  return system === 'random-attention' ? [230, 330] : null;
}

/** Appendix: share of independent subsets of 2000 Wikipedia passages' query vectors at float32's tolerance. */
const language: Statements<number> = {
  'gpt2-large-embeddings': { A1: 0, 'general-position': 0 },
  'gpt2-large-layer-1': { A1: 1, 'general-position': 0 },
  'bert-large-uncased-embeddings': { A1: 0, 'general-position': 0 },
  'bert-large-uncased-layer-1': { A1: 0 },
};

/** What the paper found for a layer of its language models; null for every other layer. */
export function paperLanguage(system: string): Partial<Record<Statement, number>> | null {
  return language[system] ?? null;
}
