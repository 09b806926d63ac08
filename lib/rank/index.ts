export { type Rtol, rankAt, relativeTolerance } from './tolerance';
export { clopperPearson, mean, median } from '../statistics';
export { singularValues } from './proofs/singular-values';
export { resolutionOf } from './resolution';
export type { Method } from './proofs/proof';
export {
  type KruskalProgress,
  type KruskalTest,
  type KruskalTestOptions,
  type NearTolerance,
  type SubsetOfRows,
  KruskalTestInterrupted,
  testKruskalRank,
} from './kruskal-test';
export { type ContextRankOptions, type ContextRanks, contextRanks } from './context-ranks';
export {
  type KruskalCurve,
  type KruskalCurveOptions,
  type KruskalCurveProgress,
  type KruskalPoint,
  KruskalCurveInterrupted,
  curveFall,
  kruskalCurve,
} from './kruskal-curve';
