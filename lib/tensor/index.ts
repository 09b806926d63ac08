export { tf } from './tensorflow';
export { definiteBlocks, type Kernels, kernels, nativeCalls, openblasDescription } from './native-kernels';
export type { Matrix } from './matrix';
export { type Precision, currentPrecision, epsilonOf, inFloat64, inPrecision, precisionOf } from './precision';
export { convert, scalar, toTensor, valuesOf } from './convert';
export { fusedAttention, fusedDefinite, fusedGelu, fusedLayerNorm, fusedLinear, hasFusedOps } from './fused';
export { cholesky, eigh, eigvalsh, qr, svd, svdvals, triangularSolve } from './linear-algebra';
export { type Random, randomSource } from './random';
export { FusedAdam } from './fused-adam';
