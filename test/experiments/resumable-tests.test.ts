/** Calls that were interrupted resume, and leave nothing behind. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { testAssumptions } from 'attention-capacity/experiments/assumptions/measure';
import { kruskalCurves } from 'attention-capacity/experiments/curve/measure';
import { Interrupted, interruptWork } from 'attention-capacity/work';
import { IndependenceTest } from 'attention-capacity/rank/proofs/independence';
import * as prefixes from 'attention-capacity/rank/proofs/proved-prefixes';
import { fakeLayer, noiseImages } from '../features/fake-layer';

describe('interrupted rank tests', () => {
  let folder: string;
  const cacheBefore = process.env.ATTENTION_CACHE;
  before(() => (process.env.ATTENTION_CACHE = folder = mkdtempSync(join(tmpdir(), 'resumed-'))));
  after(() => {
    if (cacheBefore === undefined) delete process.env.ATTENTION_CACHE;
    else process.env.ATTENTION_CACHE = cacheBefore;
    rmSync(folder, { recursive: true });
  });
  const kept = () => {
    const interrupted = join(folder, 'interrupted');
    return existsSync(interrupted) ? readdirSync(interrupted).map((file) => join(interrupted, file)) : [];
  };

  /** Runs work, interrupts it once `after` subsets have been judged, and says how many were. */
  async function judged<T>(work: () => Promise<T>, after = Infinity): Promise<{ subsets: number; result: T | null }> {
    const { judge } = IndependenceTest.prototype;
    const { provedPrefixes } = prefixes;
    let subsets = 0;
    const count = (more: number) => {
      subsets += more;
      if (subsets >= after) interruptWork();
    };
    IndependenceTest.prototype.judge = function (...args) {
      count(args[0].length);
      return judge.apply(this, args);
    };
    const counting: typeof provedPrefixes = (...args) => {
      count(args[1].length);
      return provedPrefixes(...args);
    };
    Object.assign(prefixes, { provedPrefixes: counting });
    try {
      return { result: await work(), subsets };
    } catch (error) {
      assert.ok(error instanceof Interrupted, String(error));
      return { result: null, subsets };
    } finally {
      Object.assign(IndependenceTest.prototype, { judge });
      Object.assign(prefixes, { provedPrefixes });
    }
  }

  const images = noiseImages(60);
  const layers = [fakeLayer('first'), fakeLayer('second')];
  const statements = () => testAssumptions(layers, images, { draws: 200, seed: 3, precision: 'float64' });

  it('of the statements judge no subset twice', async () => {
    const whole = await judged(statements);
    assert.equal(whole.subsets, 2 * 3 * 200);
    assert.deepEqual(kept(), []);

    const begun = await judged(statements, 700);
    assert.equal(begun.result, null);
    // Three tests of the first layer are finished, general position of the second is under way.
    assert.equal(kept().length, 4);
    const further = await judged(statements, 250);
    assert.equal(further.result, null);
    const rest = await judged(statements);
    assert.equal(begun.subsets + further.subsets + rest.subsets, whole.subsets);
    assert.deepEqual(rest.result, whole.result);
    assert.deepEqual(kept(), []);
  });

  it('start again where seed, features or file differ', async () => {
    const curves = (seed: number, images = noiseImages(60)) =>
      kruskalCurves(layers.slice(0, 1), images, { permutations: 40, seed, precision: 'float64' });
    const whole = await judged(() => curves(0));
    const half = Math.ceil(whole.subsets / 2);
    assert.equal((await judged(() => curves(0), half)).result, null);
    const [file] = kept();
    const { progress } = JSON.parse(readFileSync(file, 'utf8')) as { progress: { lengths: number[] } };
    assert.ok(progress.lengths.length > 0 && progress.lengths.length < 40, `${progress.lengths.length} of 40`);
    await curves(1);
    await curves(0, noiseImages(61));
    assert.deepEqual(kept(), [file]);

    const rest = await judged(() => curves(0));
    assert.ok(rest.subsets < whole.subsets, `${rest.subsets} of ${whole.subsets}`);
    assert.deepEqual(rest.result, whole.result);
    assert.deepEqual(kept(), []);

    assert.equal((await judged(() => curves(0), half)).result, null);
    writeFileSync(file, '{"progress": {"len');
    assert.deepEqual(await judged(() => curves(0)), whole);
    assert.deepEqual(kept(), []);
  });
});
