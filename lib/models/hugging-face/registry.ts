import type { Architecture } from '../networks/architecture';
import { bert, electra, ernie, roberta, xlmRoberta } from '../networks/bert';
import { distilBert } from '../networks/distilbert';
import { gemma, gemma2, gemma3Text } from '../networks/gemma';
import { gpt2 } from '../networks/gpt2';
import { gptNeoX } from '../networks/gpt-neox';
import { llama, mistral, qwen2, qwen3 } from '../networks/llama';
import { modernBert } from '../networks/modernbert';
import { opt } from '../networks/opt';
import { dinov2, vit } from '../networks/vit';

/** The architectures that are read, by the `model_type` of a config.json: a new one is a file in networks/ and a line here. */
export const architectures: Readonly<Record<string, Architecture>> = {
  bert,
  camembert: xlmRoberta,
  dinov2,
  distilbert: distilBert,
  electra,
  ernie,
  gemma,
  gemma2,
  gemma3_text: gemma3Text,
  gpt2,
  gpt_neox: gptNeoX,
  llama,
  mistral,
  modernbert: modernBert,
  opt,
  qwen2,
  qwen3,
  roberta,
  vit,
  'xlm-roberta': xlmRoberta,
};
