/** The Kruskal rank of whole numbers, exactly: every subset, by elimination without fractions on big integers. */
export function exactKruskalRank(rows: readonly (readonly number[])[]): number {
  const d = rows[0].length;
  const cap = Math.min(rows.length, d);
  for (let k = 1; k <= cap; k++) {
    for (const subset of subsets(rows.length, k)) {
      if (exactRank(subset.map((row) => rows[row])) < k) return k - 1;
    }
  }
  return cap;
}

/** Bareiss, "Sylvester's identity and multistep integer-preserving Gaussian elimination", 1968. */
export function exactRank(rows: readonly (readonly number[])[]): number {
  const a = rows.map((row) => row.map((value) => BigInt(value)));
  let rank = 0;
  let previous = 1n;
  for (let column = 0; column < a[0].length && rank < a.length; column++) {
    const pivot = a.findIndex((row, i) => i >= rank && row[column] !== 0n);
    if (pivot < 0) continue;
    [a[rank], a[pivot]] = [a[pivot], a[rank]];
    for (let i = rank + 1; i < a.length; i++) {
      for (let j = column + 1; j < a[0].length; j++) {
        a[i][j] = (a[i][j] * a[rank][column] - a[i][column] * a[rank][j]) / previous;
      }
      a[i][column] = 0n;
    }
    previous = a[rank][column];
    rank++;
  }
  return rank;
}

/** All k-subsets of 0 … count - 1. */
export function* subsets(count: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) yield [];
  for (let first = from; first <= count - k && k > 0; first++) {
    for (const rest of subsets(count, k - 1, first + 1)) yield [first, ...rest];
  }
}
