export {
  type ContextKind,
  type Layer,
  type LayerOptions,
  layerOf,
  type MemorizationConfig,
  memorizationConfig,
  type MemorizationOptions,
  type Setting,
  setting,
  type SettingOptions,
} from './config';
export { drawTask, type Task } from './task';
export { expectedRank, sharedUpperBound, theoremLowerBound } from './theorem';
export { capacity, type Capacity } from './capacity/capacity';
export { dimensionFormula, type FunctionalDimension, functionalDimension } from './capacity/dimension';
export { type ExactCapacity, exactCapacity } from './capacity/exact-capacity';
export { type ExactResult, memorizeExactly } from './capacity/memorize-exactly';
export { Diverged, memorize, type MemorizationResult, memorizeTogether } from './training/trainer';
export { planSweep, readSweep, type SweepPlan } from './sweep/plan';
export type { SweepResult } from './sweep/results';
export { runSweep, sweepResults } from './sweep/sweep';
