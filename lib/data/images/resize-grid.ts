/** Keys' cubic kernel (1981): a = -0.75 is what PyTorch, ONNX and OpenCV call bicubic; Pillow and PyTorch's antialiasing have -0.5. */
const cubic = (a: number) => (x: number) => {
  const t = Math.abs(x);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
};

interface Filter {
  /** Half its width. */
  readonly support: number;
  /** Weight of a sample at distance x. */
  readonly at: (x: number) => number;
  /**
   * Whether it is widened by the scale when shrinking, and cut off at the borders. If not, samples beyond the borders are the
   * borders' own.
   */
  readonly antialiased: boolean;
}

const FILTERS = {
  bicubic: { support: 2, at: cubic(-0.75), antialiased: false },
  bilinear: { support: 1, at: (x: number) => Math.max(0, 1 - Math.abs(x)), antialiased: false },
  'bilinear antialiased': { support: 1, at: (x: number) => Math.max(0, 1 - Math.abs(x)), antialiased: true },
  'bicubic antialiased': { support: 2, at: cubic(-0.5), antialiased: true },
} as const satisfies Record<string, Filter>;

export type Interpolation = keyof typeof FILTERS;

/**
 * Resizes a grid of vectors as `torch.nn.functional.interpolate(mode=…, align_corners=False)` does, with half-pixel centres.
 * In float64 whatever comes in.
 *
 * @param values `[rows, columns, d]`, row-major
 * @returns `[newRows, newColumns, d]`
 */
export function resizeGrid(
  values: Float32Array | Float64Array,
  [rows, columns]: readonly [number, number],
  [newRows, newColumns]: readonly [number, number],
  d: number,
  interpolation: Interpolation = 'bicubic',
): Float64Array {
  const filter = FILTERS[interpolation];
  const narrowed = resizeAxis(values, rows, columns, newColumns, d, filter); // [rows, newColumns, d]
  return resizeAxis(narrowed, 1, rows, newRows, newColumns * d, filter); // [newRows, newColumns, d]
}

/** `[outer, size, inner]` -> `[outer, newSize, inner]`. */
function resizeAxis(
  values: Float32Array | Float64Array,
  outer: number,
  size: number,
  newSize: number,
  inner: number,
  filter: Filter,
): Float64Array {
  const resized = new Float64Array(outer * newSize * inner);
  for (let target = 0; target < newSize; target++) {
    for (const { sample, weight } of samples(target, size, newSize, filter)) {
      for (let o = 0; o < outer; o++) {
        const from = (o * size + sample) * inner;
        const to = (o * newSize + target) * inner;
        for (let i = 0; i < inner; i++) resized[to + i] += weight * values[from + i];
      }
    }
  }
  return resized;
}

/** The samples of one new position, with their weights. */
function samples(
  target: number,
  size: number,
  newSize: number,
  { support, at, antialiased }: Filter,
): { sample: number; weight: number }[] {
  const scale = size / newSize;
  const centre = (target + 0.5) * scale - 0.5;
  if (!antialiased) {
    const first = Math.floor(centre) - support + 1;
    return Array.from({ length: 2 * support }, (_, tap) => ({
      sample: Math.min(Math.max(first + tap, 0), size - 1),
      weight: at(centre - first - tap),
    }));
  }
  const widened = Math.max(1, scale);
  const first = Math.max(0, Math.trunc(centre - support * widened + 1));
  const last = Math.min(size, Math.trunc(centre + support * widened + 1));
  const weights = Array.from({ length: last - first }, (_, tap) => at((first + tap - centre) / widened));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight, tap) => ({ sample: first + tap, weight: weight / sum }));
}
