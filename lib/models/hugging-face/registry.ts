import type { Architecture } from '../networks/architecture';
import { bert } from '../networks/bert';
import { gpt2 } from '../networks/gpt2';
import { dinov2, vit } from '../networks/vit';

/** The architectures that are read, by the `model_type` of a config.json: a new one is a file in networks/ and a line here. */
export const architectures: Readonly<Record<string, Architecture>> = {
  bert,
  dinov2,
  gpt2,
  vit,
};
