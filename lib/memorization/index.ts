export { type ContextKind, type MemorizationConfig, type Setting, type SettingOptions, setting } from './config';
export { type MemorizationOptions, memorizationConfig } from './config';
export { drawTask, type Task } from './task';
export { expectedRank, sharedUpperBound, theoremLowerBound } from './theorem';
export { capacity, type Capacity } from './capacity/capacity';
export { Diverged, memorize, type MemorizationResult, memorizeTogether } from './training/trainer';
export { planSweep, readSweep, type SweepPlan } from './sweep/plan';
export type { SweepResult } from './sweep/results';
export { runSweep, sweepResults } from './sweep/sweep';
