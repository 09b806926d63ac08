import * as protobuf from 'protobufjs';
import { InputError } from '../../input-error';
import type { WeightSource } from './weight-source';

/**
 * The part of ONNX's public schema (onnx.proto) that holds weights and says where they are used. All other fields are
 * skipped as unknown ones.
 */
const schema = protobuf.Root.fromJSON({
  nested: {
    ModelProto: { fields: { producerName: { type: 'string', id: 2 }, graph: { type: 'GraphProto', id: 7 } } },
    GraphProto: {
      fields: {
        node: { rule: 'repeated', type: 'NodeProto', id: 1 },
        initializer: { rule: 'repeated', type: 'TensorProto', id: 5 },
      },
    },
    NodeProto: {
      fields: {
        input: { rule: 'repeated', type: 'string', id: 1 },
        output: { rule: 'repeated', type: 'string', id: 2 },
        name: { type: 'string', id: 3 },
        opType: { type: 'string', id: 4 },
      },
    },
    TensorProto: {
      fields: {
        dims: { rule: 'repeated', type: 'int64', id: 1 },
        dataType: { type: 'int32', id: 2 },
        floatData: { rule: 'repeated', type: 'float', id: 4 },
        name: { type: 'string', id: 8 },
        rawData: { type: 'bytes', id: 9 },
        doubleData: { rule: 'repeated', type: 'double', id: 10 },
        dataLocation: { type: 'int32', id: 14 },
      },
    },
  },
});

/** TensorProto.DataType. */
const FLOAT = 1;
const DOUBLE = 11;
/** TensorProto.DataLocation: the numbers lie in another file. */
const EXTERNAL = 1;

/** One weight of a graph. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dataType: number;
  /** The numbers as the file has them, little-endian; a view of the file, not a copy. */
  readonly bytes: Uint8Array;
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
}

/** A network as ONNX keeps it: weights, and the operations that use them. */
export interface OnnxGraph {
  readonly origin: string;
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
  readonly nodes: readonly OnnxNode[];
}

/** What protobufjs makes of the schema; absent messages are null, absent scalars their zero. */
interface DecodedTensor {
  dims: (number | { toNumber(): number })[];
  dataType: number;
  floatData: number[];
  name: string;
  rawData: Uint8Array;
  doubleData: number[];
  dataLocation: number;
}

/**
 * Reads the weights and nodes of an ONNX file that lies in memory; the weights stay where they are.
 * Throws {@link InputError} for a file that is cut, is no ONNX file, or whose weights do not fill their shapes.
 */
export function readOnnx(bytes: Uint8Array, origin: string): OnnxGraph {
  const decoded = decode(bytes, origin);
  const tensors = new Map<string, OnnxTensor>();
  for (const tensor of decoded.initializer) {
    if (tensors.has(tensor.name)) throw new InputError(`${origin} holds the weight ${tensor.name} twice`);
    tensors.set(tensor.name, checkedTensor(tensor, origin));
  }
  return { origin, tensors, nodes: decoded.node };
}

function decode(bytes: Uint8Array, origin: string): { initializer: DecodedTensor[]; node: OnnxNode[] } {
  let model;
  try {
    model = schema.lookupType('ModelProto').decode(bytes) as unknown as {
      graph: { initializer: DecodedTensor[]; node: OnnxNode[] } | null;
    };
  } catch (error) {
    throw new InputError(
      `${origin} should be an ONNX file, but cannot be decoded (${(error as Error).message}): it is cut or damaged, or ` +
        `something else`,
    );
  }
  if (model.graph === null) throw new InputError(`${origin} should be an ONNX file, but holds no network`);
  return model.graph;
}

function checkedTensor(tensor: DecodedTensor, origin: string): OnnxTensor {
  const shape = tensor.dims.map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = bytesOf(tensor);
  const width = tensor.dataType === DOUBLE ? 8 : tensor.dataType === FLOAT ? 4 : null;
  if (tensor.dataLocation === EXTERNAL) {
    throw new InputError(`${origin} keeps the weight ${tensor.name} in another file, which is not supported`);
  }
  if (shape.some((size) => !(size >= 0)) || (width !== null && bytes.length !== count * width)) {
    throw new InputError(
      `${origin} does not hold together: its weight ${tensor.name} of [${shape.join(', ')}] should take ` +
        `${count * (width ?? 1)} bytes and has ${bytes.length}`,
    );
  }
  return { name: tensor.name, shape, dataType: tensor.dataType, bytes };
}

function bytesOf({ rawData, floatData, doubleData }: DecodedTensor): Uint8Array {
  if (floatData.length > 0) return new Uint8Array(Float32Array.from(floatData).buffer);
  if (doubleData.length > 0) return new Uint8Array(Float64Array.from(doubleData).buffer);
  return rawData;
}

/** The numbers of a weight; throws {@link InputError} unless they are float32 or float64. */
function valuesOf({ name, dataType, bytes }: OnnxTensor, origin: string): Float32Array | Float64Array {
  // A view would need an aligned offset, which a file does not promise.
  const copy = new Uint8Array(bytes).buffer;
  if (dataType === FLOAT) return new Float32Array(copy);
  if (dataType === DOUBLE) return new Float64Array(copy);
  throw new InputError(
    `${origin}: expected the weight ${name} in float32 or float64, got ONNX's data type ${dataType}`,
  );
}

/**
 * The weights of a ViT that PyTorch exported from Hugging Face's `Dinov2Model`, under that class's names (`prefix`, the
 * module it was part of, taken off).
 *
 * The exporter keeps most names. It folds two kinds of weights into anonymous constants, which are found through the
 * nodes that use them: the weight of a linear map, transposed, is the second input of `/prefix/path/of/the/map/MatMul`;
 * the position embeddings are split into the patches' grid, which flows into `/prefix/embeddings/Resize`, and the class
 * token's, which is put before what flows out of it.
 */
export function onnxViT(bytes: Uint8Array, origin: string, prefix: string): WeightSource {
  const graph = readOnnx(bytes, origin);
  const found = new Map<string, { shape: readonly number[]; values: () => Float32Array | Float64Array }>();
  for (const tensor of graph.tensors.values()) {
    if (!tensor.name.startsWith(`${prefix}.`)) continue;
    const name = tensor.name.slice(prefix.length + 1);
    found.set(name, { shape: tensor.shape, values: () => valuesOf(tensor, origin) });
  }
  for (const { name, opType, input } of graph.nodes) {
    const path =
      name.startsWith(`/${prefix}/`) && name.endsWith('/MatMul') ? name.split('/').slice(2, -1).join('.') : '';
    const tensor = graph.tensors.get(input[1]);
    if (opType !== 'MatMul' || path === '' || tensor?.shape.length !== 2) continue;
    const [rows, columns] = tensor.shape;
    const values = () => transposed(valuesOf(tensor, origin), rows, columns);
    found.set(`${path}.weight`, { shape: [columns, rows], values });
  }
  const positions = positionEmbeddings(graph, prefix);
  if (positions !== null) {
    const [first, grid] = positions;
    const shape = [1, 1 + grid.shape[1], grid.shape[2]];
    const values = () => {
      const joined = new Float64Array(first.shape[2] + grid.shape[1] * grid.shape[2]);
      joined.set(valuesOf(first, origin));
      joined.set(valuesOf(grid, origin), first.shape[2]);
      return joined;
    };
    found.set('embeddings.position_embeddings', { shape, values });
  }
  return {
    origin,
    shapes: new Map([...found].map(([name, { shape }]) => [name, shape])),
    read: (name) => found.get(name)!.values(),
  };
}

/** The constants of the class token's position, `[1, 1, d]`, and of the patches' positions, `[1, patches, d]`. */
function positionEmbeddings({ tensors, nodes }: OnnxGraph, prefix: string): [OnnxTensor, OnnxTensor] | null {
  const madeBy = new Map(nodes.flatMap((node) => node.output.map((output) => [output, node])));
  const isConstant = (tensor: OnnxTensor | undefined): tensor is OnnxTensor => tensor?.shape.length === 3;
  let name = nodes.find((node) => node.name === `/${prefix}/embeddings/Resize`)?.input[0] ?? '';
  const seen = new Set<string>();
  while (!tensors.has(name) && !seen.has(name)) {
    seen.add(name);
    name = madeBy.get(name)?.input[0] ?? '';
  }
  const grid = tensors.get(name);
  const join = nodes.find(
    ({ opType, name, input }) =>
      opType === 'Concat' && name.startsWith(`/${prefix}/embeddings/`) && isConstant(tensors.get(input[0])),
  );
  const first = tensors.get(join?.input[0] ?? '');
  return isConstant(grid) && isConstant(first) && first.shape[2] === grid.shape[2] ? [first, grid] : null;
}

/** `[rows, columns]` -> `[columns, rows]`. */
function transposed(values: Float32Array | Float64Array, rows: number, columns: number): Float32Array | Float64Array {
  const result = values.slice();
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j];
  }
  return result;
}
