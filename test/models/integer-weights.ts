/**
 * Weights that any language can make, as test/golden/models/integer_weights.py makes them for PyTorch: integers from a
 * hash of the tensor's name and the position, scaled by powers of two, so that every value is exact in float32.
 */
import type { WeightSource } from 'attention-capacity/models/weights/weight-source';

/** 32-bit FNV-1a of an ASCII name. */
function fnv1a(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/** `count` multiples of 2^-20 in [-0.5, 0.5): MurmurHash3's finalizer of (hash of the name + position). */
export function unit(name: string, count: number): Float64Array {
  const start = fnv1a(name);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let x = (start + i) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    values[i] = ((x >>> 12) - 2 ** 19) * 2 ** -20;
  }
  return values;
}

/** A weight by the kind that its name tells: norms about 1, LayerScale about 0.5, biases and all else about 0. */
function weight(name: string, count: number, amplitude: number): Float64Array {
  const values = unit(name, count);
  if (/lambda_?[12]$/.test(name)) return values.map((value) => 0.5 + value);
  if (/norm/i.test(name) || name.includes('.ln_')) {
    return values.map((value) => value * 0.5 + (name.endsWith('weight') ? 1 : 0));
  }
  return values.map((value) => value * (name.endsWith('bias') ? 0.5 : amplitude));
}

/** All tensors of the given shapes. */
export function integerWeights(shapes: ReadonlyMap<string, readonly number[]>, amplitude: number): WeightSource {
  return {
    origin: 'integer weights',
    shapes,
    read: (name) =>
      weight(
        name,
        shapes.get(name)!.reduce((a, b) => a * b, 1),
        amplitude,
      ),
  };
}

/** `[batch, 3, height, width]` in [-2, 2); a square unless the width is given. */
export function integerPixels(batch: number, height: number, width = height): Float64Array {
  return unit('pixels', batch * 3 * height * width).map((value) => value * 4);
}

/** `[batch, length]` numbers from 0 to vocabulary - 1. */
export function integerTokens(batch: number, length: number, vocabulary: number): Int32Array {
  return Int32Array.from(unit('tokens', batch * length), (value) => Math.floor((value + 0.5) * vocabulary));
}

/** Positions at which a tensor of `size` values is compared. */
export function picked(name: string, size: number, count: number): number[] {
  if (size <= count) return Array.from({ length: size }, (_, index) => index);
  return Array.from(unit(`picked ${name}`, count), (value) => Math.floor((value + 0.5) * size));
}
