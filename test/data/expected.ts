import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { RgbImage } from 'attention-capacity/data/images/image';
import { projectRoot } from 'attention-capacity/data/project-root';
import type { Resample } from 'attention-capacity/data/images/resize';

/** What test/golden/data/make.py wrote. */
interface Expected {
  readonly resize: {
    readonly from: [number, number];
    readonly to: [number, number];
    readonly resample: Resample;
    readonly seed: number;
    readonly kind: Kind;
    readonly sha256: string;
  }[];
  readonly preprocess: {
    readonly processor: 'vit' | 'dinov2';
    readonly size: [number, number];
    readonly seed: number;
    readonly sha256OfFloat32: string;
    readonly at: [number, number, number][];
    readonly values: number[];
  }[];
  readonly decoded: Record<string, { readonly size: [number, number]; readonly sha256: string }>;
  readonly unusable: Record<string, string>;
  /** sha256 of the pixels of each fetched file. */
  readonly fetched: Record<string, string>;
  readonly arrays: Record<string, { readonly dtype: string; readonly shape: number[]; readonly values: number[] }>;
}

type Kind = 'noise' | 'extremes';

export const golden = (...parts: string[]) => join(projectRoot(), 'test', 'golden', 'data', ...parts);

export const expected = JSON.parse(readFileSync(golden('expected.json'), 'utf8')) as Expected;

/** The image that `synthetic` in make.py draws. */
export function synthetic(width: number, height: number, seed: number, kind: Kind = 'noise'): RgbImage {
  let state = seed;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return kind === 'noise' ? state >>> 24 : 255 * (state >>> 31);
  });
  return { width, height, data };
}

export function sha256(data: ArrayBufferView): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
}
