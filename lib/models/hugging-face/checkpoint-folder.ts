/** What Hugging Face's checkpoints have in common: config.json beside model.safetensors, whole or in shards. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../input-error';
import { readConfiguration, type Configuration } from '../configuration';
import { fileBytes, openSafetensors } from '../../data/files/safetensors';
import { onlyPickled } from './hub/places';
import { safetensorsWeights, type WeightSource } from '../weights/weight-source';

export interface CheckpointFolder {
  readonly folder: string;
  readonly name: string;
  readonly config: Configuration;
  readonly source: WeightSource;
  readonly provenance: { readonly model: string; readonly weights: string; readonly sha256: string };
}

/**
 * Opens a folder; reads its configuration and the headers of its weights, no tensor.
 *
 * @param name what the model is called; the folder's name unless given
 * @throws InputError for a folder without them, or broken files.
 */
export function openCheckpoint(folder: string, name: string = basename(resolve(folder))): CheckpointFolder {
  const config = readConfiguration(join(folder, 'config.json'));
  refuseQuantised(config);
  const files = weightFiles(folder);
  return {
    folder,
    name,
    config,
    source: joined(files.map(openWeights)),
    provenance: {
      model: config.string('model_type'),
      weights: files.map((file) => basename(file)).join(', '),
      sha256: sha256Of([join(folder, 'config.json'), ...files]),
    },
  };
}

/** Weights that are stored as whole numbers with scales, or in 8 bits, are not the tensors that their names say. */
function refuseQuantised(config: Configuration): void {
  const quantised = config.get('quantization_config', config.get('compression_config', null));
  if (quantised === null) return;
  const method = (quantised as Record<string, unknown>).quant_method;
  throw new InputError(
    `${config.origin}: expected weights in float32, float16 or bfloat16, got a checkpoint that is quantised` +
      `${typeof method === 'string' ? ` by ${method}` : ''} (quantization_config); take the model that it was made of`,
  );
}

/** The files with the weights: one, or the shards that the index names. */
function weightFiles(folder: string): string[] {
  const whole = join(folder, 'model.safetensors');
  if (existsSync(whole)) return [whole];
  const indexPath = join(folder, 'model.safetensors.index.json');
  if (!existsSync(indexPath)) {
    const pickled =
      existsSync(folder) && readdirSync(folder).find((file) => /\.(bin|pt|pth|h5|gguf|msgpack)$/.test(file));
    if (pickled) throw new InputError(onlyPickled(folder, pickled));
    throw new InputError(
      `${folder}: expected model.safetensors (or shards with model.safetensors.index.json), got neither; save the model ` +
        `there with save_pretrained`,
    );
  }
  const map = readConfiguration(indexPath).get('weight_map', null);
  const names = typeof map === 'object' && map !== null ? [...new Set(Object.values(map))] : [];
  if (names.length === 0 || names.some((name) => typeof name !== 'string' || name !== basename(name))) {
    throw new InputError(`${indexPath}: expected a weight_map from tensors to files of the same folder`);
  }
  return (names as string[]).sort().map((name) => join(folder, name));
}

function openWeights(path: string): WeightSource {
  return safetensorsWeights(openSafetensors(fileBytes(path)));
}

/** Several files as one source; throws {@link InputError} when two of them hold the same tensor. */
function joined(sources: readonly WeightSource[]): WeightSource {
  if (sources.length === 1) return sources[0];
  const holder = new Map<string, WeightSource>();
  for (const source of sources) {
    for (const name of source.shapes.keys()) {
      const other = holder.get(name);
      if (other !== undefined) throw new InputError(`${name} lies in two files, ${other.origin} and ${source.origin}`);
      holder.set(name, source);
    }
  }
  return {
    origin: sources.map(({ origin }) => origin).join(' + '),
    shapes: new Map([...holder].map(([name, source]) => [name, source.shapes.get(name)!])),
    read: (name) => holder.get(name)!.read(name),
    rows: (name, indices) => holder.get(name)!.rows!(name, indices),
  };
}

/** SHA-256 over the contents of files, one after the other, in pieces of 16 MiB. */
function sha256Of(paths: readonly string[]): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(2 ** 24);
  for (const path of paths) {
    const file = openSync(path, 'r');
    try {
      for (let count = readSync(file, piece); count > 0; count = readSync(file, piece)) {
        hash.update(piece.subarray(0, count));
      }
    } finally {
      closeSync(file);
    }
  }
  return hash.digest('hex');
}
