import { svdvals, toTensor, type Matrix } from '../../tensor';
import { inFloat64 } from './float64';
export type Rtol = 'float32' | 'float64' | number;
export function relativeTolerance(rtol: Rtol, rows: number, columns: number): number {
  if (typeof rtol === 'number') return rtol;
  return Math.max(rows, columns) * (rtol === 'float32' ? 2 ** -23 : 2 ** -52);
}
export function singularValues(matrix: Matrix): Float64Array {
  return inFloat64(() => svdvals(toTensor(matrix.data, [...matrix.shape])));
}
