/** Which libtensorflow is used: the one for CPUs, or the one for NVIDIA's GPUs with CUDA's libraries. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { cache, root, sources } from './places.mjs';
import { pipInstall } from './python.mjs';

const choice = join(cache, 'device');
const requirements = join(root, 'scripts', 'setup', 'requirements-cuda.txt');

/** ATTENTION_DEVICE, or else its latest value, or else the CPU. */
export function device() {
  const wanted = process.env.ATTENTION_DEVICE || (existsSync(choice) ? readFileSync(choice, 'utf8').trim() : 'cpu');
  if (wanted === 'cpu' || wanted === 'gpu') return wanted;
  throw new SetupFailure(`ATTENTION_DEVICE: expected cpu or gpu, got '${wanted}'`);
}

/** Saves the choice for later commands. */
export function rememberDevice(name) {
  if (existsSync(choice) ? readFileSync(choice, 'utf8').trim() === name : name === 'cpu') return;
  mkdirSync(cache, { recursive: true });
  writeFileSync(choice, `${name}\n`);
}

/** The folder with `lib/` and `include/` of a device's libtensorflow. */
export function tensorflowFolder(name) {
  const { files } = sources.find((source) => source.use === 'libtensorflow' && source.device === name);
  return dirname(dirname(join(cache, files[0].file)));
}

/**
 * A link in nvidia/ and its target. libtensorflow_framework opens all of CUDA's libraries, but does not search the folder of
 * libcusolver (only libtensorflow_cc does). Without the link TensorFlow uses no GPU.
 */
const CUSOLVER = ['cublas/lib/libcusolver.so.11', '../../cusolver/lib/libcusolver.so.11'];

const stampOf = (folder) => join(folder, 'installed-requirements.sha256');
const fingerprint = () =>
  createHash('sha256').update(readFileSync(requirements)).update(CUSOLVER.join(' ')).digest('hex');
/** libtensorflow looks for CUDA and cuDNN in ../nvidia/<part>/lib. */
const nvidiaFolder = () => join(tensorflowFolder('gpu'), 'nvidia');

/** Whether the libraries that a device needs in addition to libtensorflow are installed. */
export function cudaPresent(name) {
  if (name === 'cpu') return true;
  const stamp = stampOf(nvidiaFolder());
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint();
}

/** Installs NVIDIA's wheels where libtensorflow looks for them. */
export async function installCuda() {
  const partial = `${nvidiaFolder()}.partial`;
  rmSync(partial, { recursive: true, force: true });
  try {
    await pipInstall('CUDA and cuDNN', requirements, ['--target', partial]);
    const [link, target] = CUSOLVER;
    symlinkSync(target, join(partial, 'nvidia', link));
    writeFileSync(stampOf(join(partial, 'nvidia')), fingerprint());
    rmSync(nvidiaFolder(), { recursive: true, force: true });
    renameSync(join(partial, 'nvidia'), nvidiaFolder());
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
