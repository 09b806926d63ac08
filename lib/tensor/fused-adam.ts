import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import './float64-backend';
import { scalar } from './convert';
import { currentPrecision } from './precision';
import { tf } from './tensorflow';

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/** The name of a variable of TensorFlow that belongs to its handle alone and is freed with it. */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/**
 * A vector [P] under Adam (Kingma and Ba, algorithm 1, with PyTorch's defaults), in the precision that is current when it
 * is made. The vector and its two moments are variables of TensorFlow's, and a step is its op ResourceApplyAdam: one pass
 * over them in place, where the formula in tfjs' ops takes eleven. In float32 the betas are rounded to float32, as the
 * op wants them, and the bias corrections are those of the rounded ones.
 *
 * Make, step, read and dispose of it in one precision.
 */
export class FusedAdam {
  private readonly variables: readonly [vector: tf.Tensor, first: tf.Tensor, second: tf.Tensor];
  private readonly beta1: number;
  private readonly beta2: number;
  private readonly constants: { readonly zero: tf.Scalar; readonly beta1: tf.Scalar; readonly beta2: tf.Scalar };

  /** Takes the values of the three [P], which stay the caller's, and the number of steps that led to them. */
  constructor(
    vector: tf.Tensor1D,
    firstMoment: tf.Tensor1D,
    secondMoment: tf.Tensor1D,
    private steps: number,
  ) {
    const rounded = currentPrecision() === 'float32' ? Math.fround : (value: number) => value;
    [this.beta1, this.beta2] = [rounded(BETA_1), rounded(BETA_2)];
    this.variables = [variableOf(vector), variableOf(firstMoment), variableOf(secondMoment)];
    this.constants = {
      zero: tf.keep(scalar(0)),
      beta1: tf.keep(scalar(this.beta1)),
      beta2: tf.keep(scalar(this.beta2)),
    };
  }

  /** Moves the vector against its gradient [P], which stays the caller's. A tensor from {@link read} keeps its values. */
  step(gradient: tf.Tensor, learningRate: number): void {
    this.steps++;
    const secondCorrection = Math.sqrt(1 - this.beta2 ** this.steps);
    const rate = (learningRate * secondCorrection) / (1 - this.beta1 ** this.steps);
    const { binding } = nodeBackend();
    const [scaledRate, epsilon] = [scalar(rate), scalar(EPSILON * secondCorrection)];
    const { zero, beta1, beta2 } = this.constants;
    // Both powers of beta are given as 0: the corrections are in the rate and in epsilon already.
    const inputs = [...this.variables, zero, zero, scaledRate, beta1, beta2, epsilon, gradient];
    nodeBackend().executeMultipleOutputs(
      'ResourceApplyAdam',
      [
        typeAttribute('T'),
        { name: 'use_locking', type: binding.TF_ATTR_BOOL, value: false },
        { name: 'use_nesterov', type: binding.TF_ATTR_BOOL, value: false },
      ],
      inputs,
      0,
    );
    tf.dispose([scaledRate, epsilon]);
  }

  /** The vector as it is now, [P]; not copied: the next step copies it unless it was disposed of before. */
  read(): tf.Tensor1D {
    return readVariable(this.variables[0]);
  }

  /** Both moments as they are now, [P] each. */
  readMoments(): [first: tf.Tensor1D, second: tf.Tensor1D] {
    return [readVariable(this.variables[1]), readVariable(this.variables[2])];
  }

  dispose(): void {
    tf.dispose([...this.variables, ...Object.values(this.constants)]);
  }
}

function nodeBackend(): NodeJSKernelBackend {
  return tf.backend() as NodeJSKernelBackend;
}

/** The type attribute of an op in the current precision. */
function typeAttribute(name: string) {
  const { TF_ATTR_TYPE, TF_FLOAT } = nodeBackend().binding;
  return { name, type: TF_ATTR_TYPE, value: TF_FLOAT };
}

/** The handle of a new variable of TensorFlow's that holds a copy of the values; it is freed with its handle. */
function variableOf(values: tf.Tensor): tf.Tensor {
  const { TF_ATTR_SHAPE, TF_ATTR_STRING } = nodeBackend().binding;
  const attributes = [
    typeAttribute('dtype'),
    { name: 'shape', type: TF_ATTR_SHAPE, value: values.shape },
    { name: 'container', type: TF_ATTR_STRING, value: '' },
    { name: 'shared_name', type: TF_ATTR_STRING, value: ANONYMOUS },
  ];
  const [handle] = nodeBackend().executeMultipleOutputs('VarHandleOp', attributes, [], 1) as tf.Tensor[];
  nodeBackend().executeMultipleOutputs('AssignVariableOp', [typeAttribute('dtype')], [handle, values], 0);
  return tf.keep(handle);
}

function readVariable(handle: tf.Tensor): tf.Tensor1D {
  const read = nodeBackend().executeMultipleOutputs('ReadVariableOp', [typeAttribute('dtype')], [handle], 1);
  return read[0] as tf.Tensor1D;
}
