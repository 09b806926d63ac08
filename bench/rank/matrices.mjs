/**
 * Features with the spectra that were measured on layers, so that the bench needs neither photographs nor networks: random
 * orthonormal columns times a spectrum, plus the mean that all rows of a layer share.
 */
import tensor from 'attention-capacity/tensor/index';

const { inPrecision, qr, randomSource, tf, toTensor, valuesOf } = tensor;

const [T, d] = [1973, 768];

/** At float32's tolerance: all 197-subsets independent, 768-subsets of rank 480, as the paper's random attention. */
export const attention = () => features('attention', (i) => 0.1 * 10 ** ((-4.6 * i) / d), 1);
/** The same with rank 610 to 710, as the paper's random ViT. */
export const randomViT = () => features('random ViT', (i) => 0.1 * 10 ** (-2.9 * (i / d) ** 0.7), 1);
/** Independent normal entries: nine of ten 768-subsets are independent. */
export const normal = () => {
  const random = randomSource(0, 'normal');
  return { data: Float32Array.from({ length: T * d }, () => random.normal()), shape: [T, d] };
};

/** Contexts [count, 197, 768] whose sigma_min / sigma_max is 1e-3, as measured on layers. */
export function contexts(count) {
  const [n, stack] = [197, new Float32Array(count * 197 * d)];
  for (let index = 0; index < count; index++) {
    const one = matrix(n, d, (i) => (i === 0 ? 1 : 0.2 * 10 ** ((-2 * i) / n)), randomSource(index, 'context'));
    stack.set(one, index * n * d);
  }
  return { data: stack, shape: [count, n, d] };
}

function features(label, spectrum, mean) {
  const random = randomSource(0, label);
  const direction = Float64Array.from({ length: d }, () => (mean * random.normal()) / Math.sqrt(d * T));
  const data = Float32Array.from(matrix(T, d, spectrum, random), (value, index) => value + direction[index % d]);
  return { data, shape: [T, d] };
}

function matrix(rows, columns, spectrum, random) {
  return inPrecision('float64', () => {
    let values;
    tf.tidy(() => {
      const p = Math.min(rows, columns);
      const normalOf = (m) =>
        toTensor(
          Float64Array.from({ length: m * p }, () => random.normal()),
          [m, p],
        );
      const scales = toTensor(
        Float64Array.from({ length: p }, (_, i) => spectrum(i)),
        [1, p],
      );
      const [left] = qr(normalOf(rows));
      const [right] = qr(normalOf(columns));
      values = Float64Array.from(valuesOf(tf.matMul(tf.mul(left, scales), right, false, true)));
    });
    return values;
  });
}
