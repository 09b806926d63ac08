export { cifar10, type Cifar10Options } from './images/cifar10';
export { readCsv } from './files/csv';
export { decodeImage, UnusableImage } from './images/decode';
export { fileTrouble } from './files/file-trouble';
export { centerCrop, crop, type RgbImage } from './images/image';
export { imageFolder } from './images/image-folder';
export type { ImageSet, SkippedFile } from './images/image-set';
export type { ExampleSet, PassageSet } from './text/passage-set';
export {
  type MatrixFile,
  openPixels,
  readNpyMatrix,
  readTokens,
  requireFinite,
  type Tokens,
} from './files/matrix-file';
export { inBytes, requireMemory } from './files/memory';
export { createNpy, type NpyArray, type NpyFile, type NpyWriter, openNpy, readNpy, writeNpy } from './files/npy';
export type { NpyData, NpyType } from './files/npy-header';
export { type PhotoOptions, photos } from './images/photos';
export { type PixelBatch, pixelBatch, preprocess, type Preprocessing, type ResizedImages } from './images/preprocess';
export { cacheFolder, projectRoot } from './project-root';
export { resize, type Resample } from './images/resize';
export { type PassageOptions, speeches } from './text/passages';
export { readSource, type SourceFile, sourceFiles } from './sources';
export { readTokenizer, type Tokenizer } from './text/tokenizer';
export { writeAtomically } from './files/write-atomically';
