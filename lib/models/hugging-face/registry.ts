import type { Architecture } from '../networks/architecture';
import { bert } from '../networks/bert';
import { gemma, gemma2, gemma3Text } from '../networks/gemma';
import { gpt2 } from '../networks/gpt2';
import { llama, mistral, qwen2, qwen3 } from '../networks/llama';
import { dinov2, vit } from '../networks/vit';

/** The architectures that are read, by the `model_type` of a config.json: a new one is a file in networks/ and a line here. */
export const architectures: Readonly<Record<string, Architecture>> = {
  bert,
  dinov2,
  gemma,
  gemma2,
  gemma3_text: gemma3Text,
  gpt2,
  llama,
  mistral,
  qwen2,
  qwen3,
  vit,
};
