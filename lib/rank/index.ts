export { type Rtol, rankAt, relativeTolerance } from './tolerance';
export { clopperPearson } from './binomial-interval';
export { mean } from './mean';
export { median } from './median';
export { singularValues } from './singular-values';
export type { Method } from './independence';
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
