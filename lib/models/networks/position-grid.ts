/** Keys' cubic kernel (1981) with a = -0.75: what PyTorch, ONNX and OpenCV call bicubic. */
const A = -0.75;

/** Weight of a sample at distance x. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t <= 1) return ((A + 2) * t - (A + 3)) * t * t + 1;
  if (t < 2) return ((A * t - 5 * A) * t + 8 * A) * t - 4 * A;
  return 0;
}

/**
 * Resizes a grid of vectors bicubically, as `torch.nn.functional.interpolate(mode='bicubic', align_corners=False)` does:
 * half-pixel centres, borders repeated, no antialiasing. In float64 whatever comes in.
 *
 * @param values `[rows, columns, d]`, row-major
 * @returns `[newRows, newColumns, d]`
 */
export function resizeGrid(
  values: Float32Array | Float64Array,
  [rows, columns]: readonly [number, number],
  [newRows, newColumns]: readonly [number, number],
  d: number,
): Float64Array {
  const narrowed = resizeAxis(values, rows, columns, newColumns, d); // [rows, newColumns, d]
  return resizeAxis(narrowed, 1, rows, newRows, newColumns * d); // [newRows, newColumns, d]
}

/** `[outer, size, inner]` -> `[outer, newSize, inner]`. */
function resizeAxis(
  values: Float32Array | Float64Array,
  outer: number,
  size: number,
  newSize: number,
  inner: number,
): Float64Array {
  const resized = new Float64Array(outer * newSize * inner);
  for (let target = 0; target < newSize; target++) {
    const centre = ((target + 0.5) * size) / newSize - 0.5;
    const left = Math.floor(centre);
    for (let tap = left - 1; tap <= left + 2; tap++) {
      const weight = cubic(centre - tap);
      const sample = Math.min(Math.max(tap, 0), size - 1);
      for (let o = 0; o < outer; o++) {
        const from = (o * size + sample) * inner;
        const to = (o * newSize + target) * inner;
        for (let i = 0; i < inner; i++) resized[to + i] += weight * values[from + i];
      }
    }
  }
  return resized;
}
