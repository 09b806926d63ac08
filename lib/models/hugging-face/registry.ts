import type { Architecture } from '../networks/architecture';
import { beit } from '../networks/beit';
import { bert, electra, ernie, roberta, xlmRoberta } from '../networks/bert';
import { clip, siglip } from '../networks/clip';
import { dinov3 } from '../networks/dinov3';
import { distilBert } from '../networks/distilbert';
import { gemma, gemma2, gemma3Text } from '../networks/gemma';
import { gpt2 } from '../networks/gpt2';
import { gptNeoX } from '../networks/gpt-neox';
import { llama, mistral, qwen2, qwen3 } from '../networks/llama';
import { modernBert } from '../networks/modernbert';
import { opt } from '../networks/opt';
import { deit, dinov2, dinov2WithRegisters, vit, vitMae, vitMsn } from '../networks/vit';

/** The architectures that are read, by the `model_type` of a config.json: a new one is a file in networks/ and a line here. */
export const architectures: Readonly<Record<string, Architecture>> = {
  beit,
  bert,
  camembert: xlmRoberta,
  clip,
  clip_vision_model: clip,
  deit,
  dinov2,
  dinov2_with_registers: dinov2WithRegisters,
  dinov3_vit: dinov3,
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
  siglip,
  siglip_vision_model: siglip,
  vit,
  vit_mae: vitMae,
  vit_msn: vitMsn,
  'xlm-roberta': xlmRoberta,
};
