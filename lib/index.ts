/** Everything a notebook needs, in one import. */
export { InputError } from './input-error';
export { begin, Interrupted, interruptWork, watchWith } from './work';
export { type ProfileName, type Sizes, sizes } from './experiments/profiles';

export { cifar10, imageFolder, photos, type ImageSet, type RgbImage } from './data';
export { layers, randomViTB16, trainedViTS, type FeatureLayer } from './models';
export {
  disputedLayers,
  forwardErrors,
  recheck,
  type ForwardError,
  type Recheck,
} from './experiments/precision/sceptic';
export { smallCopies, type SmallCopy } from './experiments/precision/small-copy';
export { layerSpectra, toleranceSweeps, type LayerSpectra, type ToleranceSweep } from './experiments/precision/spectra';
export { computeFeatures, type Features } from './features/features';
export { depthPlaces, type DepthOptions, type DepthPlace } from './experiments/depth/measure';
export { depthSteps, type DepthStep } from './experiments/depth/steps';
export {
  testAssumptions,
  type AssumptionOptions,
  type AssumptionResult,
  type Statement,
} from './experiments/assumptions/measure';
export { kruskalCurves, type CurveOptions, type LayerCurve } from './experiments/curve/measure';
export {
  contextRanks,
  kruskalCurve,
  relativeTolerance,
  testKruskalRank,
  type KruskalCurve,
  type KruskalTest,
  type Rtol,
} from './rank';
export { languageCurves, languageSystems, testLanguage, type LanguageSystem } from './experiments/language/measure';
export type { Matrix, Precision } from './tensor';
export {
  analyseFeatures,
  exampleFeatures,
  openFeatures,
  type AnalysisOptions,
  type FeatureAnalysis,
  type YourFeatures,
} from './experiments/your-features/measure';

export {
  colours,
  figure,
  formatNumber,
  headline,
  neutral,
  say,
  show,
  showProgress,
  table,
  type Figure,
  type Table,
} from './report';
export type { Findings } from './experiments/findings';
export { imageComparison, marginFigure, rankHistogram } from './experiments/assumptions/figures';
export { assumptionFindings } from './experiments/assumptions/findings';
export { assumptionRows, assumptionTable, systemTable } from './experiments/assumptions/tables';
export { kruskalCurveFigure } from './experiments/curve/figures';
export { kruskalCurveFindings } from './experiments/curve/findings';
export { kruskalCurveTable } from './experiments/curve/tables';
export { depthFigure, depthStepFigure } from './experiments/depth/figures';
export { depthFindings } from './experiments/depth/findings';
export { depthStepTable, depthTable } from './experiments/depth/tables';
export { languageMarginFigure } from './experiments/language/figures';
export { languageFindings } from './experiments/language/findings';
export { languageModelTable, languageTable } from './experiments/language/tables';
export { spectrumFigure, toleranceFigure } from './experiments/precision/figures';
export { precisionFindings } from './experiments/precision/findings';
export { forwardErrorTable, recheckTable, smallCopyTable } from './experiments/precision/tables';
export { featureCurveFigure, singularValueFigure } from './experiments/your-features/figures';
export { featureFindings } from './experiments/your-features/findings';
export {
  certificateTable,
  curveFallTable,
  featureTable,
  kruskalBoundsTable,
  numericalRankTable,
  subsetTestTable,
} from './experiments/your-features/tables';

export { capacity, type Capacity } from './memorization/capacity/capacity';
export {
  bestOf,
  type Design,
  designs,
  type DesignSpace,
  drawnDesigns,
  fitDesigns,
  measureDesigns,
  querySpans,
} from './experiments/design/measure';
export { growthOf, type Growth } from './experiments/memorization/growth';
export {
  adamPoints,
  measurePanels,
  panelsOf,
  type AdamPoint,
  type PanelPoint,
} from './experiments/memorization/measure';
export { memorizationSweep, type FinishedSweep } from './experiments/memorization/sweeps';
export { layerRanks, type LayerRank } from './experiments/theorem/measure';
export { memorize, type MemorizationResult } from './memorization/training/trainer';
export { designFigure } from './experiments/design/figures';
export { designFindings } from './experiments/design/findings';
export { designTable, drawnDesignTable, querySpanTable, standardDesignTable } from './experiments/design/tables';
export { adamFigure, liveTrainingCurve, memorizationFigure } from './experiments/memorization/figures';
export { memorizationFindings } from './experiments/memorization/findings';
export { adamEdgeTable, adamTable, exactCapacityTable, growthTable } from './experiments/memorization/tables';
export { largestWeightFigure, saturatedHeadsFigure } from './experiments/saturation/figures';
export { saturationFindings } from './experiments/saturation/findings';
export { saturationTable } from './experiments/saturation/tables';
export { rankByExamplesFigure, rankByHeadSizeFigure, rankByLogitScaleFigure } from './experiments/theorem/figures';
export { theoremFindings } from './experiments/theorem/findings';
export { capacityTable, layerRankTable } from './experiments/theorem/tables';
