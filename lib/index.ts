/** Everything a notebook needs, in one import. */
export { InputError } from './input-error';
export { begin, Interrupted, interruptWork, watchWith } from './pace';
export { type ProfileName, type Sizes, sizes } from './profiles';

export { cifar10, imageFolder, photos, type ImageSet, type RgbImage } from './data';
export { layers, randomViTB16, trainedViTS, type FeatureLayer } from './models';
export { disputedLayers, forwardErrors, recheck, type ForwardError, type Recheck } from './precision/sceptic';
export { smallCopies, type SmallCopy } from './precision/small-copy';
export { layerSpectra, toleranceSweeps, type LayerSpectra, type ToleranceSweep } from './precision/spectra';
export { computeFeatures, type Features } from './features';
export { depthPlaces, type DepthOptions, type DepthPlace } from './depth';
export { depthSteps, type DepthStep } from './depth-steps';
export { testAssumptions, type AssumptionOptions, type AssumptionResult, type Statement } from './assumptions';
export { kruskalCurves, type CurveOptions, type LayerCurve } from './curves';
export {
  contextRanks,
  kruskalCurve,
  relativeTolerance,
  testKruskalRank,
  type KruskalCurve,
  type KruskalTest,
  type Rtol,
} from './rank';
export { languageCurves, languageSystems, testLanguage, type LanguageSystem } from './language';
export type { Matrix, Precision } from './tensor';
export {
  analyseFeatures,
  exampleFeatures,
  openFeatures,
  type AnalysisOptions,
  type FeatureAnalysis,
  type YourFeatures,
} from './your-features';

export { colours, figure, headline, neutral, say, show, showProgress, table, type Figure, type Table } from './report';
export { imageComparison, marginFigure, rankHistogram } from './report/assumption-figures';
export { assumptionFindings, type Findings } from './report/assumption-findings';
export { assumptionRows, assumptionTable, systemTable } from './report/assumption-tables';
export { depthFigure, depthStepTable, depthTable } from './report/depth-figures';
export { depthFindings } from './report/depth-findings';
export { kruskalCurveFigure, kruskalCurveTable } from './report/curve-figures';
export { kruskalCurveFindings } from './report/curve-findings';
export { languageFindings, languageMarginFigure, languageModelTable, languageTable } from './report/language-report';
export {
  forwardErrorTable,
  precisionFindings,
  recheckTable,
  smallCopyTable,
  spectrumFigure,
  toleranceFigure,
} from './report/precision-figures';
export { featureCurveFigure, singularValueFigure } from './report/your-features-figures';
export { featureFindings } from './report/your-features-findings';
export {
  certificateTable,
  curveFallTable,
  featureTable,
  kruskalBoundsTable,
  numericalRankTable,
  subsetTestTable,
} from './report/your-features-tables';

export { capacity, type Capacity } from './memorization/capacity';
export {
  type Design,
  designs,
  type DesignSpace,
  designsToTrain,
  kruskalCandidate,
  measureDesigns,
  trainDesigns,
} from './memorization/design';
export { panelPoints, type PanelPoint } from './memorization/memorized';
export { memorizationSweep, type FinishedSweep } from './memorization/notebook-sweeps';
export { layerRanks, type LayerRank } from './memorization/rank-experiments';
export { memorize, type MemorizationResult } from './memorization/trainer';
export { designFigure, designFindings, designTable, kruskalDesignTable } from './report/design-figures';
export { memorizationFigure, memorizationTable, slopeTable } from './report/memorization-figures';
export { memorizationFindings, saturationFindings, theoremFindings } from './report/memorization-findings';
export { largestWeightFigure, saturatedHeadsFigure, saturationTable } from './report/saturation-figures';
export {
  capacityTable,
  layerRankTable,
  rankByExamplesFigure,
  rankByHeadSizeFigure,
  rankByLogitScaleFigure,
} from './report/theorem-figures';
export { liveTrainingCurve } from './report/training-curve';
