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

export { colours, figure, headline, neutral, say, show, showProgress, table, type Figure, type Table } from './report';
export { imageComparison, marginFigure, rankHistogram } from './experiments/assumptions/figures';
export { assumptionFindings, type Findings } from './experiments/assumptions/findings';
export { assumptionRows, assumptionTable, systemTable } from './experiments/assumptions/tables';
export { depthFigure, depthStepTable, depthTable } from './experiments/depth/figures';
export { depthFindings } from './experiments/depth/findings';
export { kruskalCurveFigure, kruskalCurveTable } from './experiments/curve/figures';
export { kruskalCurveFindings } from './experiments/curve/findings';
export {
  languageFindings,
  languageMarginFigure,
  languageModelTable,
  languageTable,
} from './experiments/language/report';
export {
  forwardErrorTable,
  precisionFindings,
  recheckTable,
  smallCopyTable,
  spectrumFigure,
  toleranceFigure,
} from './experiments/precision/figures';
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
  type Design,
  designs,
  type DesignSpace,
  designsToTrain,
  kruskalCandidate,
  measureDesigns,
  trainDesigns,
} from './experiments/design/measure';
export { panelPoints, type PanelPoint } from './experiments/memorization/measure';
export { memorizationSweep, type FinishedSweep } from './experiments/memorization/sweeps';
export { layerRanks, type LayerRank } from './experiments/theorem/measure';
export { memorize, type MemorizationResult } from './memorization/training/trainer';
export { designFigure, designFindings, designTable, kruskalDesignTable } from './experiments/design/figures';
export { memorizationFigure, memorizationTable, slopeTable } from './experiments/memorization/figures';
export { memorizationFindings, saturationFindings, theoremFindings } from './experiments/memorization/findings';
export { largestWeightFigure, saturatedHeadsFigure, saturationTable } from './experiments/saturation/figures';
export {
  capacityTable,
  layerRankTable,
  rankByExamplesFigure,
  rankByHeadSizeFigure,
  rankByLogitScaleFigure,
} from './experiments/theorem/figures';
export { liveTrainingCurve } from './experiments/memorization/figures';
