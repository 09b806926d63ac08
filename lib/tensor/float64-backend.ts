/**
 * A second backend of tfjs, named 'float64', in which every tensor that tfjs calls 'float32' is a double of TensorFlow.
 *
 * tfjs has no double tensors, but TensorFlow's ops have double kernels and the native binding can call them. So the
 * backend is the ordinary one, given a binding that creates doubles where tfjs asks for floats and replaces float by
 * double in the type attributes of each op; doubles are read into a Float64Array. All kernels are shared.
 */
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import type { TFEOpAttr, TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { tf } from './tensorflow';

type Values = ReturnType<NodeJSKernelBackend['readSync']>;
type DataId = Parameters<NodeJSKernelBackend['readSync']>[0];
type DType = Parameters<NodeJSKernelBackend['write']>[2];

/** What the node backend keeps of a tensor: values that wait to be handed to TensorFlow, or the id of a native tensor. */
interface TensorRecord {
  readonly dtype: number;
  readonly id: number;
  readonly values: Values | null;
}

/** TensorFlow's number for double, which the binding does not name. */
const TF_DOUBLE = 2;

class Float64Backend extends NodeJSKernelBackend {
  constructor(private readonly native: TFJSBinding) {
    super(doubleBinding(native), '@tensorflow/tfjs-node-gpu');
  }

  override move(dataId: DataId, values: Values, shape: number[], dtype: DType, refCount: number): void {
    super.move(dataId, dtype === 'float32' ? (asDoubles(values) as unknown as Values) : values, shape, dtype, refCount);
  }

  override readSync(dataId: DataId): Values {
    const { dtype, id, values } = recordOf(this, dataId);
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
    if (attribute.type === TF_ATTR_TYPE && attribute.value === TF_FLOAT) return { ...attribute, value: TF_DOUBLE };
    if (attribute.type === TF_ATTR_FLOAT && Math.fround(attribute.value as number) !== attribute.value) {
      const setting = `${attribute.name} = ${String(attribute.value)}`;
      throw new Error(`${op} rounds ${setting} to float32: express it by other ops to use it in float64.`);
    }
    return attribute;
  }

  function executeOp(op: string, attributes: TFEOpAttr[], inputs: number[], outputCount: number) {
    const doubleAttributes = attributes.map((attribute) => inDouble(op, attribute));
    const outputs = native.executeOp(op, doubleAttributes, inputs, outputCount);
    if (outputs.some((output) => output.dtype === TF_FLOAT)) {
      for (const output of outputs) native.deleteTensor(output.id);
      throw new Error(`${op} gives float32 whatever its input: it cannot be used in float64.`);
    }
    // tfjs knows one kind of floating-point tensor, and calls it float32.
    for (const output of outputs) if (output.dtype === TF_DOUBLE) output.dtype = TF_FLOAT;
    return outputs;
  }

  return Object.create(native, { createTensor: { value: createTensor }, executeOp: { value: executeOp } }) as TFJSBinding;
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

function recordOf(backend: NodeJSKernelBackend, dataId: DataId): TensorRecord {
  return (backend as unknown as { tensorMap: { get(dataId: DataId): TensorRecord } }).tensorMap.get(dataId);
}

const float32Backend = tf.findBackend('tensorflow') as NodeJSKernelBackend;
const float64Backend = new Float64Backend(float32Backend.binding);
tf.registerBackend('float64', () => float64Backend, 0);
tf.copyRegisteredKernels('tensorflow', 'float64');
