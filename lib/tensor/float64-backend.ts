/**
 * A second backend of tfjs, named 'float64', in which every tensor that tfjs calls 'float32' is a double of TensorFlow.
 *
 * tfjs has no double tensors, but TensorFlow's ops have double kernels and the native binding can call them. So the
 * backend is the ordinary one, given a binding that creates doubles where tfjs asks for floats and replaces float by
 * double in the type attributes of each op; doubles are read into a Float64Array. All kernels are shared.
 *
 * What would lose digits on the way throws: a number that tfjs has rounded to float32, an op that knows float32 only, a
 * tensor of the other backend.
 */
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import type { TFEOpAttr, TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { keepFreedMemory } from './freed-memory';
import { tf } from './tensorflow';

type Values = ReturnType<NodeJSKernelBackend['readSync']>;
type DataId = Parameters<NodeJSKernelBackend['readSync']>[0];
type DType = Parameters<NodeJSKernelBackend['write']>[2];

/** The private part of the node backend that this file reaches into. */
interface Internals {
  readonly tensorMap: {
    /** Values that wait to be handed to TensorFlow, or the id of a native tensor. */
    get(dataId: DataId): { readonly dtype: number; readonly id: number; readonly values: Values | null };
    /** Asked for tensors that another backend holds. */
    dataMover: { moveData(backend: tf.KernelBackend, dataId: DataId): void };
  };
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  /** Belongs to the current backend. */
  createOutputTensor(native: ReturnType<TFJSBinding['executeOp']>[number]): tf.Tensor;
}

/** TensorFlow's number for double, which the binding does not name. */
const TF_DOUBLE = 2;

class Float64Backend extends NodeJSKernelBackend {
  constructor(private readonly native: TFJSBinding) {
    super(doubleBinding(native), '@tensorflow/tfjs-node-gpu');
  }

  override move(dataId: DataId, values: Values, shape: number[], dtype: DType, refCount: number): void {
    if (dtype === 'float32' && values instanceof Float32Array) requireUnrounded(values);
    super.move(dataId, dtype === 'float32' ? (asDoubles(values) as unknown as Values) : values, shape, dtype, refCount);
  }

  override readSync(dataId: DataId): Values {
    const { dtype, id, values } = internalsOf(this).tensorMap.get(dataId);
    if (values !== null || dtype !== this.native.TF_FLOAT) return super.readSync(dataId);
    const pairs = bitcast(this.native, id, TF_DOUBLE, this.native.TF_INT32);
    try {
      const { buffer, byteOffset, length } = this.native.tensorDataSync(pairs);
      return new Float64Array(buffer, byteOffset, length / 2) as unknown as Values;
    } finally {
      this.native.deleteTensor(pairs);
    }
  }
}

function doubleBinding(native: TFJSBinding): TFJSBinding {
  const { TF_FLOAT, TF_INT32, TF_ATTR_TYPE, TF_ATTR_FLOAT } = native;

  /** The binding takes no Float64Array: doubles travel as pairs of int32, and Bitcast shares their memory. */
  function createTensor(shape: number[], dtype: number, values: Values): number {
    if (dtype !== TF_FLOAT) return native.createTensor(shape, dtype, values);
    const { buffer, byteOffset, length } = asDoubles(values);
    const pairs = native.createTensor([...shape, 2], TF_INT32, new Int32Array(buffer, byteOffset, 2 * length));
    try {
      return bitcast(native, pairs, TF_INT32, TF_DOUBLE);
    } finally {
      native.deleteTensor(pairs);
    }
  }

  function inDouble(op: string, attribute: TFEOpAttr): TFEOpAttr {
    const { name, type, value } = attribute;
    if (type === TF_ATTR_TYPE && value === TF_FLOAT) return { name, type, value: TF_DOUBLE };
    if (type === TF_ATTR_FLOAT && typeof value === 'number' && Math.fround(value) !== value) {
      throw new Error(`${op} rounds its ${name}, ${value}, to float32: in float64 write it with other ops.`);
    }
    return attribute;
  }

  function executeOp(op: string, attributes: TFEOpAttr[], inputs: number[], outputCount: number) {
    const doubleAttributes = attributes.map((attribute) => inDouble(op, attribute));
    const outputs = executeNative(op, doubleAttributes, inputs, outputCount);
    if (outputs.some((output) => output.dtype === TF_FLOAT)) {
      for (const output of outputs) native.deleteTensor(output.id);
      throw new Error(`${op} gives float32 whatever it is given: it cannot be used in float64.`);
    }
    // tfjs knows one kind of floating-point tensor, and calls it float32.
    for (const output of outputs) if (output.dtype === TF_DOUBLE) output.dtype = TF_FLOAT;
    return outputs;
  }

  function executeNative(op: string, attributes: TFEOpAttr[], inputs: number[], outputCount: number) {
    try {
      return native.executeOp(op, attributes, inputs, outputCount);
    } catch (error) {
      if (!/Could not find device for node|list of allowed values/.test(String(error))) throw error;
      throw new Error(`${op} does not exist for doubles in TensorFlow: it cannot be used in float64.`, {
        cause: error,
      });
    }
  }

  return Object.create(native, {
    createTensor: { value: createTensor },
    executeOp: { value: executeOp },
  }) as TFJSBinding;
}

function bitcast(native: TFJSBinding, id: number, from: number, to: number): number {
  const attributes = [
    { name: 'T', type: native.TF_ATTR_TYPE, value: from },
    { name: 'type', type: native.TF_ATTR_TYPE, value: to },
  ];
  return native.executeOp('Bitcast', attributes, [id], 1)[0].id;
}

function asDoubles(values: Values): Float64Array {
  const numbers: unknown = values;
  return numbers instanceof Float64Array ? numbers : Float64Array.from(numbers as ArrayLike<number>);
}

/**
 * Throws when the values look like numbers that tfjs has rounded to float32, as it does with every number and array
 * that is given to an op. Whole numbers below 2^24 and numbers of at most 12 significant bits (0.5, -0.125, 2^-30) are
 * taken as exact; one in 4096 others comes through unseen.
 */
function requireUnrounded(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const isShort = (bits[i] & 0xfff) === 0;
    const isWhole = Math.abs(values[i]) < 2 ** 24 && Number.isInteger(values[i]);
    if (!isShort && !isWhole) {
      throw new Error(
        `A number reached the float64 backend rounded to float32, as ${values[i]}: tfjs does that to numbers and arrays ` +
          'given to its ops and to random ones. Write scalar(number) or toTensor(array, shape) instead.',
      );
    }
  }
}

/**
 * Lets integer and boolean tensors wander between the backends, as tfjs does, but not floating-point ones: the digits
 * that one gains or loses should be asked for.
 */
function moveOnRequest(backend: tf.KernelBackend, dataId: DataId): void {
  const tensor = tf.engine().state.tensorInfo.get(dataId);
  if (tensor?.dtype === 'float32') {
    const [from, to] = backend === float64Backend ? ['float32', 'float64'] : ['float64', 'float32'];
    throw new Error(
      `A ${from} tensor of shape [${tensor.shape.join(', ')}] was used in ${to}: call convert(tensor, '${to}') first.`,
    );
  }
  tf.engine().moveData(backend, dataId);
}

function internalsOf(backend: NodeJSKernelBackend): Internals {
  return backend as unknown as Internals;
}

/** A tensor of the other backend, rounded to this precision or widened to it; this one must be the current one. */
export function castTo(precision: 'float32' | 'float64', tensor: tf.Tensor): tf.Tensor {
  const { binding } = float32Backend;
  const [from, to] = precision === 'float64' ? [float32Backend, float64Backend] : [float64Backend, float32Backend];
  const [source, target] = precision === 'float64' ? [binding.TF_FLOAT, TF_DOUBLE] : [TF_DOUBLE, binding.TF_FLOAT];
  const attributes = [
    { name: 'SrcT', type: binding.TF_ATTR_TYPE, value: source },
    { name: 'DstT', type: binding.TF_ATTR_TYPE, value: target },
    { name: 'Truncate', type: binding.TF_ATTR_BOOL, value: false },
  ];
  const [output] = binding.executeOp('Cast', attributes, internalsOf(from).getInputTensorIds([tensor]), 1);
  return internalsOf(to).createOutputTensor({ ...output, dtype: binding.TF_FLOAT });
}

/** The backend that holds the data of a tensor. */
export function backendOf(dataId: object): tf.KernelBackend | undefined {
  return tf.engine().state.tensorInfo.get(dataId)?.backend;
}

const float32Backend = tf.findBackend('tensorflow') as NodeJSKernelBackend;
const float64Backend = new Float64Backend(float32Backend.binding);
for (const backend of [float32Backend, float64Backend])
  internalsOf(backend).tensorMap.dataMover = { moveData: moveOnRequest };
// Kernels read indices where they are needed as numbers, and the node backend then forgets to ask for their move.
float32Backend.readSync = (dataId) => {
  internalsOf(float32Backend).tensorMap.get(dataId);
  return NodeJSKernelBackend.prototype.readSync.call(float32Backend, dataId);
};
keepFreedMemory(float32Backend.binding);
tf.registerBackend('float64', () => float64Backend, 0);
tf.copyRegisteredKernels('tensorflow', 'float64');
