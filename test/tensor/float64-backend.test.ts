import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  convert,
  currentPrecision,
  epsilonOf,
  inPrecision,
  type Precision,
  precisionOf,
  scalar,
  tf,
  toTensor,
  valuesOf,
} from 'attention-capacity/tensor/index';

const precisions: Precision[] = ['float32', 'float64'];

/** Native tensors of both backends: they share one binding. */
function nativeTensors(): number {
  return (tf.findBackend('tensorflow') as unknown as { getNumOfTFTensors(): number }).getNumOfTFTensors();
}

/** The values of what `compute` gives in a precision; nothing else stays. */
function valuesIn(precision: Precision, compute: () => tf.Tensor): Float32Array | Float64Array {
  return inPrecision(precision, () => {
    const result = tf.tidy(compute);
    const values = valuesOf(result);
    result.dispose();
    return values;
  });
}

/** Runs `run` and asserts that no tensor of tfjs or TensorFlow is left behind. */
function withoutLeak(run: () => void): void {
  const before = { tensors: tf.memory().numTensors, native: nativeTensors() };
  run();
  assert.deepEqual({ tensors: tf.memory().numTensors, native: nativeTensors() }, before);
}

test('each precision has its own epsilon, and 1 + epsilon is the next number to 1', () => {
  for (const precision of precisions) {
    inPrecision(precision, () =>
      tf.tidy(() => {
        const epsilon = epsilonOf(precision);
        assert.equal(valuesOf(scalar(1).add(scalar(epsilon)))[0], 1 + epsilon);
        assert.equal(valuesOf(scalar(1).add(scalar(epsilon / 2)))[0], 1);
      }),
    );
  }
});

test('inPrecision nests, gives back what it ran, and restores the precision before', () => {
  assert.equal(currentPrecision(), 'float32');
  const seen = inPrecision('float64', () => [
    currentPrecision(),
    inPrecision('float32', currentPrecision),
    inPrecision('float64', currentPrecision),
    currentPrecision(),
  ]);
  assert.deepEqual(seen, ['float64', 'float32', 'float64', 'float64']);
  assert.equal(currentPrecision(), 'float32');
});

test('inPrecision restores the precision when the work throws, and refuses work that goes on later', () => {
  assert.throws(() => inPrecision('float64', () => assert.fail('stop')), /stop/);
  assert.equal(currentPrecision(), 'float32');
  assert.throws(() => inPrecision('float64', () => Promise.reject(new Error('never seen'))), {
    name: 'TypeError',
    message: /synchronous/,
  });
  assert.equal(currentPrecision(), 'float32');
});

test('values go in and out unchanged', () => {
  const doubles = Float64Array.of(0.1, 1 + 2 ** -52, Number.MIN_VALUE, -Number.MAX_VALUE, Infinity, NaN);
  withoutLeak(() => {
    inPrecision('float64', () =>
      tf.tidy(() => {
        assert.deepEqual(valuesOf(toTensor(doubles, [2, 3])), doubles);
        assert.deepEqual(valuesOf(toTensor(doubles, [2, 3]).reshape([3, 2]).transpose().transpose()), doubles);
        assert.deepEqual(valuesOf(toTensor([...doubles], [6])), doubles);
        assert.deepEqual(valuesOf(toTensor(Float32Array.of(0.1), [1])), Float64Array.of(Math.fround(0.1)));
        assert.deepEqual(
          valuesOf(tf.neg(toTensor(doubles.subarray(1, 3), [2]))),
          Float64Array.of(-1 - 2 ** -52, -5e-324),
        );
        assert.deepEqual(valuesOf(tf.neg(toTensor([], [2, 0, 3]))), new Float64Array(0));
      }),
    );
    tf.tidy(() => assert.deepEqual(valuesOf(toTensor(doubles, [6])), Float32Array.from(doubles)));
  });
});

test('toTensor and valuesOf say what does not fit', () => {
  assert.throws(() => toTensor([1, 2, 3], [2, 2]), {
    name: 'RangeError',
    message: 'expected 4 values for a tensor of shape [2, 2], got 3',
  });
  tf.tidy(() => assert.throws(() => valuesOf(tf.tensor1d([1], 'int32')), /holds int32: use dataSync\(\)/));
});

test('both precisions interleaved give what each gives alone', () => {
  const compute = (precision: Precision) =>
    valuesIn(precision, () => tf.exp(toTensor([0.1, 0.2, 0.3], [3])).div(scalar(3)));
  const alone = precisions.map(compute);
  assert.notDeepEqual(alone[0], alone[1]);
  for (let i = 0; i < 20; i++) assert.deepEqual(compute(precisions[i % 2]), alone[i % 2]);

  withoutLeak(() => {
    const kept = precisions.map((precision) => inPrecision(precision, () => toTensor([0.1, 0.2, 0.3], [3])));
    const results = [0, 1, 0, 1].map((i) => inPrecision(precisions[i], () => kept[i].square()));
    results.forEach((result, i) => {
      assert.equal(precisionOf(result), precisions[i % 2]);
      const round = i % 2 === 0 ? Math.fround : (x: number) => x;
      assert.equal(valuesOf(result)[0], round(round(0.1) ** 2));
    });
    tf.dispose([...kept, ...results]);
  });
});

test('a tensor is converted to the other precision and stays what it was', () => {
  withoutLeak(() => {
    const wide = inPrecision('float64', () => tf.tidy(() => toTensor([0.1, 1e300], [1, 2]).mul(scalar(1))));
    const narrow = convert(wide, 'float32');
    const widened = convert(narrow, 'float64');
    assert.deepEqual([wide, narrow, widened].map(precisionOf), ['float64', 'float32', 'float64']);
    assert.deepEqual(valuesOf(wide), Float64Array.of(0.1, 1e300));
    assert.deepEqual(valuesOf(narrow), Float32Array.of(0.1, Infinity));
    assert.deepEqual(valuesOf(widened), Float64Array.of(Math.fround(0.1), Infinity));
    assert.deepEqual(narrow.shape, [1, 2]);
    tf.dispose([wide, narrow, widened]);
  });
});

test('a tensor used in the wrong precision is named, and survives', () => {
  withoutLeak(() => {
    const narrow = tf.ones([2, 3]);
    const wide = inPrecision('float64', () => tf.ones([4]));
    assert.throws(() => inPrecision('float64', () => narrow.square()), {
      message: "A float32 tensor of shape [2, 3] was used in float64: call convert(tensor, 'float64') first.",
    });
    assert.throws(() => wide.square(), {
      message: "A float64 tensor of shape [4] was used in float32: call convert(tensor, 'float32') first.",
    });
    assert.deepEqual(valuesOf(narrow), new Float32Array(6).fill(1));
    assert.deepEqual(valuesOf(wide), new Float64Array(4).fill(1));
    tf.dispose([narrow, wide]);
  });
});

test('indices and masks may be used in either precision', () => {
  withoutLeak(() => {
    const rows = tf.tensor1d([2, 0], 'int32');
    const mask = tf.tensor1d([true, false], 'bool');
    for (const precision of [...precisions, ...precisions]) {
      const values = valuesIn(precision, () => tf.where(mask, tf.gather(toTensor([1, 2, 3], [3]), rows), scalar(7)));
      assert.deepEqual([...values], [3, 7]);
    }
    tf.dispose([rows, mask]);
  });
});

const rounding: [name: string, run: () => unknown, message: RegExp][] = [
  ['a number in an op', () => tf.ones([1]).mul(0.1), /reached the float64 backend rounded to float32, as 0\.1000000/],
  ['a large whole number', () => tf.ones([1]).mul(1e9 + 1), /as 1000000000: .* Write scalar\(number\)/],
  ['an array', () => tf.tensor([0.5, 1 / 3]), /toTensor\(array, shape\)/],
  ['a fill value', () => tf.fill([2], 0.1), /rounded to float32/],
  ['a normal draw', () => tf.randomNormal([8]), /rounded to float32/],
  ['a uniform draw', () => tf.randomUniform([8]), /rounded to float32/],
  ['dropout', () => tf.dropout(tf.ones([8]), 0.3), /rounded to float32/],
  ["tfjs's own Adam", () => tf.train.adam(0.001), /rounded to float32/],
  ['a slope', () => tf.leakyRelu(tf.ones([1]), 0.1), /^Error: LeakyRelu rounds its alpha, 0\.1, to float32/],
  [
    'resizeBilinear',
    () => tf.image.resizeBilinear(tf.ones<tf.Rank.R4>([1, 2, 2, 1]), [4, 4]),
    /ResizeBilinear gives float32/,
  ],
  [
    'local response normalization',
    () => tf.localResponseNormalization(tf.ones<tf.Rank.R4>([1, 2, 2, 1])),
    /LRN does not exist for doubles/,
  ],
  ['complex numbers', () => tf.complex(tf.ones([1]), tf.ones([1])), /Complex does not exist for doubles/],
];

for (const [name, run, message] of rounding) {
  test(`what would be rounded to float32 unseen throws: ${name}`, () => {
    withoutLeak(() => assert.throws(() => inPrecision('float64', () => tf.tidy(run as () => tf.Tensor)), message));
  });
}

test('gradients are computed in doubles', () => {
  // f(X) = sum(softmax(X W) * C), differentiated by hand: dX = S * (C - rowsum(S * C)) W^T with S = softmax(X W).
  const [x, w, c] = [
    [0.1, -0.7],
    [1 / 3, 0.9, -0.2, 0.4],
    [1.1, -0.3],
  ];
  const logits = [x[0] * w[0] + x[1] * w[2], x[0] * w[1] + x[1] * w[3]];
  const weights = logits.map((logit) => Math.exp(logit));
  const s = weights.map((weight) => weight / (weights[0] + weights[1]));
  const average = s[0] * c[0] + s[1] * c[1];
  const g = s.map((share, i) => share * (c[i] - average));
  const expected = [g[0] * w[0] + g[1] * w[1], g[0] * w[2] + g[1] * w[3]];
  withoutLeak(() => {
    const actual = valuesIn('float64', () => {
      const W = toTensor(w, [2, 2]);
      const C = toTensor(c, [1, 2]);
      const f = (X: tf.Tensor) => tf.sum<tf.Scalar>(tf.mul(tf.softmax(tf.matMul(X, W)), C));
      return tf.grad(f)(toTensor(x, [1, 2]));
    });
    expected.forEach((value, i) => assert.ok(Math.abs(actual[i] - value) < 1e-15, `${actual[i]} against ${value}`));
  });
});

test('memory does not grow: not in tfjs, not in TensorFlow, not in the process', () => {
  const megabyte = 2 ** 17;
  const work = () =>
    valuesIn('float64', () => {
      const x = toTensor(new Float64Array(megabyte).fill(0.1), [256, 512]);
      return tf.matMul(x, x, false, true);
    });
  withoutLeak(() => {
    for (let i = 0; i < 100; i++) work();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 600; i++) work();
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    // 600 inputs of 1 MB and as many results of 0.5 MB went through.
    assert.ok(grown < 300, `the process grew by ${grown.toFixed()} MB`);
  });
});
