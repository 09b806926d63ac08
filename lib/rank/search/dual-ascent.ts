/**
 * Vectors for `leaders.ts`, for all rows at once, and the weights that make them equally good.
 *
 * With u_j = y_j / (||y_j|| n_j), rows whitened, every row l wants w_l with u_l . w_l = -1 and all other |u_j . w_l| small. For
 * an aim t that is a convex feasibility problem, and the sum of squares of what sticks out of [-t, t] has a gradient that
 * costs two matrix products for all rows together; Nesterov's accelerated gradient (Beck and Teboulle, SIAM J. Imaging Sci. 2,
 * 2009) comes near in some tens of steps. A row that stays behind gets a smaller weight, which makes its own task easier and
 * one term of every other row's harder: after a few rounds no row is much worse than the average one. Products are in float32,
 * because nothing here is trusted.
 */
import { begin } from '../../work';
import { inPrecision, scalar, tf, toTensor, valuesOf } from '../../tensor';
import { gatherRows } from '../proofs/rows';
import type { Independence } from './independence';
import { ledSets } from './leaders';
import { secondMoments, whiten, type Whitening } from './whitening';

export interface LeaderBound {
  /** No set of up to so many rows is dependent: proved. */
  readonly atLeast: number;
  /** Of the whitening, and the steps of the ascent that it took. */
  readonly alpha: number;
  readonly steps: number;
  /** Multiplications, those inside large products at their price. */
  readonly spent: number;
}

/** From mild to full whitening: at a tolerance the last ones cost more than they give. */
const ALPHAS = [1e-1, 1e-2, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12];
/** A large product does so many multiplications in the time that the rest of the search takes for one, float32 twice that. */
export const PRODUCT_SPEED = 16;
/** What calls into TensorFlow cost besides: a millisecond for a dozen. */
const CALLS = 1e6;
/** Whitening takes a d x d matrix. */
const MOST_COLUMNS = 4096;
const SAMPLE = 48;
const BETWEEN_CHECKS = 10;
/** Inner products held at a time. */
const BLOCK = 2 ** 22;

/** The best bound up to `most` that `operations` multiplications find; null where they do not suffice for a first one. */
export async function boundByLeaders(
  independence: Independence,
  most: number,
  operations: number,
): Promise<LeaderBound | null> {
  const { count: T, columns: d, rows } = independence;
  const checking = (T * T * d) / PRODUCT_SPEED + 8 * T * T + CALLS;
  const whitening = (3 * T * d * d) / PRODUCT_SPEED + CALLS;
  const sample = Int32Array.from({ length: Math.min(SAMPLE, T) }, (_, i) => Math.floor((i * T) / Math.min(SAMPLE, T)));
  const sampling = whitening + (3 * checking * sample.length) / T + 10 * CALLS;
  if (d > MOST_COLUMNS || whitening + sampling + checking > operations) return null;
  const moments = secondMoments(rows, T, d);
  let spent = whitening;
  let best: { view: Whitening; score: number } | null = null;
  for (const alpha of ALPHAS) {
    if (best !== null && spent + sampling + checking > operations) break;
    spent += sampling;
    const view = whiten(rows, T, d, moments, alpha);
    if (view === null) break;
    const rooms = promise(new Ascent(independence, view, sample, most)).sort();
    // The quarter that is worst off will decide.
    const score = rooms[rooms.length >> 2];
    if (best === null || score > best.score) best = { view, score };
  }
  if (best === null) return null;
  const all = Int32Array.from({ length: T }, (_, i) => i);
  return climb(new Ascent(independence, best.view, all, most), most, operations, spent, checking);
}

/** What a few steps for a few rows come to. */
function promise(ascent: Ascent): Float64Array {
  try {
    const aim = 2 * median(ascent.check().rooms);
    for (let step = 0; step < BETWEEN_CHECKS; step++) ascent.step(1 / aim);
    return ascent.check().rooms;
  } finally {
    ascent.dispose();
  }
}

/**
 * Steps, and now and then a check, a new balance and a new aim: above what is reached, further while the aims are met. It
 * ends where the proved bound is less than 1 below the aim, or where the multiplications run out.
 */
async function climb(
  ascent: Ascent,
  most: number,
  operations: number,
  spentBefore: number,
  checking: number,
): Promise<LeaderBound> {
  const work = begin('vectors for all rows that exclude small dependent sets', operations);
  let spent = spentBefore;
  let steps = 0;
  let stride = 0.3;
  try {
    let { atLeast, rooms } = ascent.check();
    spent += checking;
    let reached = least(rooms);
    let aim = 2 * median(rooms);
    // More than `atLeast` rows are excluded where all rooms exceed it.
    const nearest = () => 1.03 * atLeast;
    while (atLeast < most && spent + 2 * checking <= operations) {
      ascent.balance(rooms);
      for (let step = 0; step < BETWEEN_CHECKS && spent + 2 * checking <= operations; step++, steps++) {
        ascent.step(1 / aim);
        spent += checking;
        await work.advance(Math.min(spent, operations));
      }
      const found = ascent.check();
      spent += checking;
      atLeast = Math.max(atLeast, found.atLeast);
      rooms = found.rooms;
      const next = least(rooms);
      const isMet = next >= 0.98 * aim;
      if (isMet || next - reached < 0.1 * (aim - next)) {
        if (!isMet && aim <= nearest()) break;
        if (!isMet) stride /= 2;
        aim = Math.max(nearest(), isMet ? aim * (1 + stride) : (aim + next) / 2);
        ascent.restart();
      }
      reached = next;
    }
    return { atLeast, alpha: ascent.whitening.alpha, steps, spent };
  } finally {
    work.end();
    ascent.dispose();
  }
}

const median = (rooms: Float64Array) => rooms.slice().sort()[rooms.length >> 1];
const least = (rooms: Float64Array) => rooms.reduce((a, b) => Math.min(a, b), Infinity);

/** The vectors of some rows on their way, [leaders, d] in blocks, and the weights of all rows. */
class Ascent {
  private readonly n: Float64Array;
  private readonly unit: tf.Tensor2D;
  /** y_j / (||y_j|| n_j), and the squared spectral norm of them all. */
  private scaled: tf.Tensor2D;
  private steepness = 0;
  private direction: Float32Array;
  private momentum = 1;
  private readonly blocks: { readonly leaders: Int32Array; own: tf.Tensor2D; w: tf.Tensor2D; ahead: tf.Tensor2D }[];

  constructor(
    private readonly independence: Independence,
    readonly whitening: Whitening,
    readonly leaders: Int32Array,
    private readonly most: number,
  ) {
    const { count: T, columns: d } = independence;
    this.n = new Float64Array(T).fill(1);
    this.direction = new Float32Array(d).fill(1);
    const size = Math.max(1, Math.floor(BLOCK / T));
    [this.unit, this.scaled] = inPrecision('float32', () => {
      const unit = toTensor(whitening.unit, [T, d]) as tf.Tensor2D;
      return [unit, unit.clone()];
    });
    this.blocks = inPrecision('float32', () =>
      Array.from({ length: Math.ceil(leaders.length / size) }, (_, b) => {
        const some = leaders.slice(b * size, (b + 1) * size);
        const own = toTensor(gatherRows(whitening.unit, d, some), [some.length, d]) as tf.Tensor2D;
        return { leaders: some, own, w: own.neg(), ahead: own.neg() };
      }),
    );
    this.measureSteepness();
  }

  /** What the vectors prove as they stand; `rooms` in the order of the leaders. */
  check(): { atLeast: number; rooms: Float64Array } {
    const { independence, whitening, most } = this;
    const n = whitening.lengths.map((length, j) => length * this.n[j]);
    const led = this.blocks.flatMap(({ leaders, w }) =>
      ledSets(independence, n, leaders, whitening.back(Float64Array.from(valuesOf(w))), most),
    );
    return {
      atLeast: led.reduce((fewest, { needed }) => Math.min(fewest, needed), most + 1) - 1,
      // A row that no dependency uses has room without end.
      rooms: Float64Array.from(led, ({ room }) => (room > 0 ? Math.min(room, 2 * most) : 0)),
    };
  }

  /** Smaller weights for rows with less room, when all rows lead. */
  balance(rooms: Float64Array): void {
    const mean = Math.exp(rooms.reduce((sum, room) => sum + Math.log(Math.max(room, 1e-3)), 0) / rooms.length);
    const factors = rooms.map((room) => (Math.max(room, 1e-3) / mean) ** 0.3);
    factors.forEach((factor, j) => (this.n[j] *= factor));
    inPrecision('float32', () => {
      const scaled = tf.tidy(() => this.unit.div(toTensor(this.n, [this.n.length, 1]))) as tf.Tensor2D;
      this.scaled.dispose();
      this.scaled = scaled;
      for (const block of this.blocks) {
        const column = Float64Array.from(block.leaders, (leader) => factors[leader]);
        const [w, ahead] = tf.tidy(() => {
          const factor = toTensor(column, [column.length, 1]);
          return [block.w.mul(factor), block.ahead.mul(factor)] as [tf.Tensor2D, tf.Tensor2D];
        });
        tf.dispose([block.w, block.ahead]);
        Object.assign(block, { w, ahead });
      }
    });
    this.measureSteepness();
  }

  restart(): void {
    this.momentum = 1;
  }

  /** One step of every vector towards |u_j . w| <= t for all rows but its own. */
  step(t: number): void {
    const next = (1 + Math.sqrt(1 + 4 * this.momentum ** 2)) / 2;
    const further = (this.momentum - 1) / next;
    this.momentum = next;
    inPrecision('float32', () => {
      for (const block of this.blocks) {
        const [w, ahead] = tf.tidy(() => {
          const products = tf.matMul(block.ahead, this.scaled, false, true);
          // Its own product, -1, sticks out too: that pulls along its own row only, and is undone below.
          const excess = products.sub(products.clipByValue(-t, t)) as tf.Tensor2D;
          const moved = block.ahead.sub(tf.matMul(excess, this.scaled).div(scalar(this.steepness)));
          const weights = toTensor(
            Float64Array.from(block.leaders, (leader) => this.n[leader]),
            [block.leaders.length, 1],
          );
          const w = moved.sub(moved.mul(block.own).sum(1, true).add(weights).mul(block.own)) as tf.Tensor2D;
          return [w, w.add(w.sub(block.w).mul(scalar(further)))] as [tf.Tensor2D, tf.Tensor2D];
        });
        tf.dispose([block.w, block.ahead]);
        Object.assign(block, { w, ahead });
      }
    });
  }

  dispose(): void {
    tf.dispose([this.unit, this.scaled, ...this.blocks.flatMap(({ own, w, ahead }) => [own, w, ahead])]);
  }

  /** The squared spectral norm of all u_j, by power iteration from where it ended before, and a little more. */
  private measureSteepness(): void {
    const d = this.direction.length;
    inPrecision('float32', () => {
      const [norm, direction] = tf.tidy(() => {
        let vector = toTensor(this.direction, [d, 1]) as tf.Tensor2D;
        let length: tf.Tensor = scalar(1);
        for (let round = 0; round < 8; round++) {
          const image = tf.matMul(this.scaled, tf.matMul(this.scaled, vector), true, false);
          length = image.norm();
          vector = image.div(length) as tf.Tensor2D;
        }
        return [valuesOf(length)[0], Float32Array.from(valuesOf(vector))] as const;
      });
      this.steepness = 1.05 * norm;
      this.direction = direction;
    });
  }
}
