import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The user's token of the hub, as huggingface_hub finds it: HF_TOKEN, or the file that `hf auth login` writes (HF_TOKEN_PATH, `token`
 * in HF_HOME, by default ~/.cache/huggingface). Null where there is none, or HF_HUB_DISABLE_IMPLICIT_TOKEN is set.
 */
export function accessToken(): string | null {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HOME, XDG_CACHE_HOME } = process.env;
  if (/^(1|on|yes|true)$/i.test(process.env.HF_HUB_DISABLE_IMPLICIT_TOKEN ?? '')) return null;
  const named = (HF_TOKEN ?? HUGGING_FACE_HUB_TOKEN)?.trim();
  if (named) return named;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  const file = HF_TOKEN_PATH || join(home, 'token');
  return (existsSync(file) && readFileSync(file, 'utf8').trim()) || null;
}
