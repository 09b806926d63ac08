/** Ops of TensorFlow's that tfjs does not know, as kernels of both backends. They have no gradients. */
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import './float64-backend';
import { tf } from './tensorflow';

type Settings = Record<string, boolean>;

/** Makes an op known that takes tensors of one floating-point type, its attribute T, and flags, and gives such tensors. */
export function registerOp(op: string, outputCount: number): void {
  for (const backendName of ['tensorflow', 'float64']) {
    tf.registerKernel({
      kernelName: op,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) => {
        const node = backend as NodeJSKernelBackend;
        const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_FLOAT } = node.binding;
        const attributes = [
          { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
          ...Object.entries(attrs as Settings).map(([name, value]) => ({ name, type: TF_ATTR_BOOL, value })),
        ];
        return node.executeMultipleOutputs(op, attributes, Object.values(inputs) as tf.TensorInfo[], outputCount);
      },
    });
  }
}

/** Runs an op that {@link registerOp} has made known; the inputs come in the order in which the op has them. */
export function execute(op: string, inputs: Record<string, tf.Tensor>, settings: Settings = {}): tf.Tensor[] {
  // tfjs types what a kernel gives as one tensor or a dictionary of them; these kernels give a list.
  return tf.engine().runKernel(op, inputs, settings) as unknown as tf.Tensor[];
}
