import { readlinkSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { projectRoot } from '../data/project-root';
import type * as Tensor from '../tensor';
import type { Finding } from './report';

const part = 'Computing';
const REBUILD = 'npm run setup -- --fresh';

/** The machine, libtensorflow, the device, and each backend, checked by a small computation. */
export async function examineComputing(): Promise<Finding[]> {
  const cores = availableParallelism();
  const machine = `${cpus()[0]?.model.trim() ?? process.arch}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB memory`;
  const findings: Finding[] = [{ part, name: 'machine', ok: true, found: machine }];
  let tensor: typeof Tensor;
  try {
    // Imported here: the doctor must be able to report that TensorFlow does not load.
    tensor = await import('../tensor/index.js');
  } catch (error) {
    return [...findings, { part, name: 'libtensorflow', ok: false, found: sentence(error), remedy: REBUILD }];
  }
  const found = [libtensorflow, kernels, device, float32, products, float64].map((examine) => examine(tensor));
  return [...findings, ...found];
}

interface NodeBackend {
  readonly binding: { readonly TF_Version: string };
  readonly isUsingGpuDevice: boolean;
}

const nodeBackend = ({ tf }: typeof Tensor) => tf.findBackend('tensorflow') as unknown as NodeBackend;

function libtensorflow(tensor: typeof Tensor): Finding {
  return { part, name: 'libtensorflow', ok: true, found: nodeBackend(tensor).binding.TF_Version };
}

function kernels({ openblasDescription }: typeof Tensor): Finding {
  const found = openblasDescription() ?? "TensorFlow's own (ATTENTION_KERNELS=tensorflow)";
  return { part, name: 'kernels', ok: true, found };
}

/** Set up for a GPU but computing on the CPU is a problem: everything would run, but many times slower. */
function device(tensor: typeof Tensor): Finding {
  const deps = join(projectRoot(), 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'deps');
  let linked: string;
  try {
    linked = basename(readlinkSync(deps));
  } catch {
    return { part, name: 'device', ok: false, found: `libtensorflow is not linked at ${deps}`, remedy: REBUILD };
  }
  const wanted = linked.startsWith('gpu-') ? 'gpu' : 'cpu';
  const found = nodeBackend(tensor).isUsingGpuDevice ? 'gpu' : 'cpu';
  return {
    part,
    name: 'device',
    ok: wanted === found,
    found: wanted === found ? found : `set up for the ${wanted}, but TensorFlow computes on the ${found}`,
    remedy:
      'check that nvidia-smi lists a GPU and a driver for CUDA 12; ATTENTION_DEVICE=cpu npm run setup switches back to the CPU',
  };
}

/** A product of whole numbers, exact in any precision, and 1/3, rounded to float32. */
function float32(tensor: typeof Tensor): Finding {
  return proof('float32', () => {
    const { tf, inPrecision, valuesOf } = tensor;
    return inPrecision('float32', () =>
      tf.tidy(() => {
        const product = valuesOf(
          tf.matMul(
            tf.tensor2d([
              [1, 2],
              [3, 4],
            ]),
            tf.tensor2d([
              [5, 6],
              [7, 8],
            ]),
          ),
        );
        const [third] = valuesOf(tf.div(1, 3));
        return product.join() === '19,22,43,50' && third === Math.fround(1 / 3);
      }),
    );
  });
}

/** GPUs may round the factors of float32 products to 11 significant bits. 2^12 + 1 needs 13; float32 keeps 24. */
function products({ tf, inPrecision, valuesOf }: typeof Tensor): Finding {
  const finding = {
    part,
    name: 'products in float32',
    remedy: 'the GPU computes in TensorFloat-32: set NVIDIA_TF32_OVERRIDE=0, or leave it unset',
  };
  const size = 64;
  const exact = size * (2 ** 12 + 1);
  const wrong = inPrecision('float32', () =>
    tf.tidy(() => {
      const product = tf.matMul(tf.fill([size, size], 2 ** 12 + 1), tf.ones([size, size]));
      return valuesOf(product).find((value) => value !== exact);
    }),
  );
  return wrong === undefined
    ? { ...finding, ok: true, found: 'keep all digits' }
    : { ...finding, ok: false, found: `lose digits: expected ${exact}, got ${wrong}` };
}

/** 1 + 2^-52, whose last bit only float64 keeps, and a Cholesky factor that depends on the last bits. */
function float64(tensor: typeof Tensor): Finding {
  return proof('float64', () => {
    const { tf, inPrecision, toTensor, valuesOf, cholesky } = tensor;
    return inPrecision('float64', () =>
      tf.tidy(() => {
        const [sum] = valuesOf(tf.add(toTensor([1], [1]), toTensor([2 ** -52], [1])));
        const factor = valuesOf(cholesky(toTensor([1, 1, 1, 1 + 2 ** -50], [2, 2])));
        return sum === 1 + 2 ** -52 && factor[3] === 2 ** -25;
      }),
    );
  });
}

function proof(name: string, holds: () => boolean): Finding {
  const finding = { part, name: `backend ${name}`, remedy: REBUILD };
  try {
    return holds()
      ? { ...finding, ok: true, found: 'a small computation is right' }
      : { ...finding, ok: false, found: 'a small computation is wrong' };
  } catch (error) {
    return { ...finding, ok: false, found: sentence(error) };
  }
}

function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
