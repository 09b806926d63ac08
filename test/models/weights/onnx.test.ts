import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { InputError } from 'attention-capacity/input-error';
import { loadNetwork } from 'attention-capacity/models/networks/one-pass';
import { dinov2, DINOV2_SMALL } from 'attention-capacity/models/networks/vit';
import { onnxViT, readOnnx } from 'attention-capacity/models/weights/onnx';
import { randomSource } from 'attention-capacity/tensor';

/** A writer's side of onnx.proto, independent of the reader's. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message ModelProto { int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; }
  message GraphProto { repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5; }
  message NodeProto { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; }
  message TensorProto {
    repeated int64 dims = 1; int32 data_type = 2; repeated float float_data = 4; string name = 8; bytes raw_data = 9;
    repeated double double_data = 10; int32 data_location = 14;
  }
`);
const ModelProto = root.lookupType('ModelProto');

function model(graph: object): Uint8Array {
  return ModelProto.encode(ModelProto.fromObject({ irVersion: 7, producerName: 'a test', graph })).finish();
}

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);
const rejects = (message: RegExp) => (error: Error) => error instanceof InputError && message.test(error.message);

test('weights keep their names, linear maps get theirs from the node that uses them', () => {
  const source = onnxViT(
    model({
      node: [
        {
          opType: 'MatMul',
          name: '/net/encoder/layer.0/mlp/fc1/MatMul',
          input: ['x', 'onnx::MatMul_7'],
          output: ['y'],
        },
        { opType: 'MatMul', name: '/head/MatMul', input: ['y', 'onnx::MatMul_8'], output: ['z'] },
      ],
      initializer: [
        { name: 'net.layernorm.weight', dims: [2], dataType: 1, rawData: floats(1, 2) },
        { name: 'net.layernorm.bias', dims: [2], dataType: 1, floatData: [3, 4] },
        { name: 'net.double', dims: [1], dataType: 11, doubleData: [0.1] },
        { name: 'onnx::MatMul_7', dims: [2, 3], dataType: 1, rawData: floats(1, 2, 3, 4, 5, 6) },
        { name: 'onnx::MatMul_8', dims: [2, 2], dataType: 1, rawData: floats(1, 2, 3, 4) },
        { name: 'head.bias', dims: [1], dataType: 1, rawData: floats(1) },
      ],
    }),
    'a file',
    'net',
  );
  assert.deepEqual(Object.fromEntries(source.shapes), {
    'layernorm.weight': [2],
    'layernorm.bias': [2],
    double: [1],
    'encoder.layer.0.mlp.fc1.weight': [3, 2],
  });
  assert.deepEqual(Array.from(source.read('encoder.layer.0.mlp.fc1.weight')), [1, 4, 2, 5, 3, 6]);
  assert.deepEqual(Array.from(source.read('layernorm.weight')), [1, 2]);
  assert.deepEqual(Array.from(source.read('layernorm.bias')), [3, 4]);
  assert.deepEqual(Array.from(source.read('double')), [0.1]);
});

test('the position embeddings are put together again', () => {
  const source = onnxViT(
    model({
      node: [
        { opType: 'Reshape', name: '/net/embeddings/Reshape', input: ['grid', 'shape'], output: ['a'] },
        { opType: 'Resize', name: '/net/embeddings/Resize', input: ['a'], output: ['b'] },
        { opType: 'Concat', name: '/net/embeddings/Concat', input: ['first', 'b'], output: ['c'] },
      ],
      initializer: [
        { name: 'first', dims: [1, 1, 2], dataType: 1, rawData: floats(1, 2) },
        { name: 'grid', dims: [1, 4, 2], dataType: 1, rawData: floats(3, 4, 5, 6, 7, 8, 9, 10) },
      ],
    }),
    'a file',
    'net',
  );
  assert.deepEqual(source.shapes.get('embeddings.position_embeddings'), [1, 5, 2]);
  assert.deepEqual(Array.from(source.read('embeddings.position_embeddings')), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('weights that do not fill their shapes, lie elsewhere or come twice are InputErrors', () => {
  const weight = (change: object) => ({ name: 'w', dims: [2], dataType: 1, rawData: floats(1, 2), ...change });
  const cases: [object[], RegExp][] = [
    [[weight({ dims: [3] })], /its weight w of \[3\] should take 12 bytes and has 8/],
    [[weight({ dims: [-2] })], /does not hold together/],
    [[weight({ dims: [2 ** 40, 2 ** 40] })], /does not hold together/],
    [[weight({ rawData: floats(1).subarray(0, 3) })], /should take 8 bytes and has 3/],
    [[weight({ dataLocation: 1, rawData: Buffer.alloc(0) })], /in another file, which is not supported/],
    [[weight({}), weight({})], /holds the weight w twice/],
  ];
  for (const [initializer, message] of cases) {
    assert.throws(() => readOnnx(model({ initializer }), 'a file'), rejects(message));
  }
});

test('a cut file, other bytes, and another model are InputErrors', () => {
  const whole = model({
    initializer: [{ name: 'other.weight', dims: [64], dataType: 1, rawData: floats(...new Array<number>(64).fill(1)) }],
  });
  assert.equal(readOnnx(whole, 'a file').tensors.size, 1);
  for (let length = 0; length < whole.length; length++) {
    // Cut within the producer's name or before the graph, the rest is a valid message without one.
    assert.throws(() => readOnnx(whole.subarray(0, length), 'a file'), rejects(/should be an ONNX file/), `${length}`);
  }
  const random = randomSource(0, 'onnx');
  for (let number = 0; number < 2000; number++) {
    const bytes = Buffer.from(whole);
    for (let change = random.integer(4); change >= 0; change--) bytes[random.integer(60)] = random.integer(256);
    try {
      readOnnx(bytes, 'a file');
    } catch (error) {
      assert.ok(error instanceof InputError, `${bytes.toString('hex')}: ${String(error)}`);
    }
  }
  const other = onnxViT(whole, 'other.onnx', 'backbone');
  assert.throws(
    () => loadNetwork(dinov2, DINOV2_SMALL, other, [1], 'float32'),
    rejects(/^other.onnx lacks embeddings.cls_token, .* and \d+ more, which the network needs/),
  );
});
