import { InputError } from '../../../input-error';
import { downloadCheckpoint, Unreachable } from './download';
import { downloadCache, folderByHand, localCheckpoint } from './places';

/**
 * The folder of a model that is named as on the Hugging Face hub: from a hub cache of this machine, or else downloaded
 * into the one that HF_HUB_CACHE or HF_HOME names, by default `data/cache/hub` in the project.
 *
 * @throws InputError that says which files to put where, when the model is not here and cannot be downloaded.
 */
export async function hubCheckpoint(name: string): Promise<string> {
  const local = localCheckpoint(name);
  if (local !== null) return local;
  if (isOffline()) throw absent(name, 'HF_HUB_OFFLINE forbids to download it');
  try {
    return await downloadCheckpoint(name, downloadCache());
  } catch (error) {
    if (error instanceof Unreachable) throw absent(name, `the hub cannot be reached (${error.message})`);
    throw error;
  }
}

function isOffline(): boolean {
  return /^(1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? '');
}

function absent(name: string, why: string): InputError {
  return new InputError(
    `${name} is not on this machine, and ${why}; put its config.json, model.safetensors (or the shards and ` +
      'model.safetensors.index.json) and, for --images, preprocessor_config.json, for --text, tokenizer.json into ' +
      `${folderByHand(name)}, or give --model another folder that holds them`,
  );
}
