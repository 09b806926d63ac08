import { InputError } from '../../../input-error';
import { downloadCheckpoint, Unreachable } from './download';
import { downloadCache, folderByHand, hubName, localCheckpoint, troubleOfLocal } from './places';

/**
 * The folder of a model that is named as on the Hugging Face hub (`owner/name`, `owner/name@revision`, or its address): from a hub cache of this machine, or else downloaded
 * into the one that HF_HUB_CACHE or HF_HOME names, by default `data/cache/hub` in the project.
 *
 * @throws InputError that says which files to put where, when the model is not here and cannot be downloaded.
 */
export async function hubCheckpoint(text: string): Promise<string> {
  const local = localCheckpoint(text);
  if (local !== null) return local;
  const { name, revision } = hubName(text) ?? { name: text, revision: 'main' };
  const amiss = troubleOfLocal(text);
  if (isOffline()) throw amiss === null ? absent(name, 'HF_HUB_OFFLINE forbids to download it') : new InputError(amiss);
  try {
    return await downloadCheckpoint(name, revision, downloadCache());
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    const why = `the hub cannot be reached (${error.message})`;
    throw amiss === null ? absent(name, why) : new InputError(`${amiss} (${why})`);
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
