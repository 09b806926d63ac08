/**
 * Rank tests that resume: what an interrupted call had found stays in the cache until the same call, in this process or in
 * another, is finished.
 */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { cacheFolder, writeAtomically } from '../data';
import { Interrupted } from '../work';
import {
  kruskalCurve,
  KruskalCurveInterrupted,
  KruskalTestInterrupted,
  testKruskalRank,
  type KruskalCurve,
  type KruskalCurveOptions,
  type KruskalCurveProgress,
  type KruskalProgress,
  type KruskalTest,
  type KruskalTestOptions,
} from '../rank';
import type { Matrix } from '../tensor';

/** Part of every key: to be raised whenever the same features and options would give other verdicts. */
const REVISION = 2;

/** What is kept of one test: its result, or how far it got. */
interface Kept<Result, Progress> {
  readonly result?: Result;
  readonly progress?: Progress;
}

/** The rank tests of one call of {@link resumable}, under the names that they have in `lib/rank`. */
export class ResumableTests {
  /** By the file in which each is kept. */
  private readonly finished = new Map<string, Kept<unknown, unknown>>();

  testKruskalRank(features: Matrix, options: KruskalTestOptions): Promise<KruskalTest> {
    return this.run('test', features, options, (from?: KruskalProgress) =>
      testKruskalRank(features, { ...options, from }),
    );
  }

  kruskalCurve(features: Matrix, options: KruskalCurveOptions): Promise<KruskalCurve> {
    return this.run('curve', features, options, (from?: KruskalCurveProgress) =>
      kruskalCurve(features, { ...options, from }),
    );
  }

  /** To be called when the work is interrupted: keeps what was finished, so that nothing is done twice. */
  keep(): void {
    for (const [file, kept] of this.finished) write(file, kept);
  }

  /** To be called when the work is finished. */
  async forget(): Promise<void> {
    await Promise.all([...this.finished.keys()].map((file) => rm(file, { force: true })));
  }

  private async run<Result, Progress>(
    kind: string,
    features: Matrix,
    options: object,
    test: (from?: Progress) => Promise<Result>,
  ): Promise<Result> {
    const file = fileOf(kind, features, options);
    const kept = await read<Result, Progress>(file);
    try {
      const result = kept.result ?? (await test(kept.progress));
      this.finished.set(file, { result });
      return result;
    } catch (error) {
      if (error instanceof KruskalTestInterrupted || error instanceof KruskalCurveInterrupted) {
        write(file, { progress: error.progress });
      }
      throw error;
    }
  }
}

/**
 * Does work that consists of rank tests. If it is interrupted, the next call finds those that were finished, and the one
 * that was under way resumes at the draw it had reached; a test is recognised by its features and options.
 */
export async function resumable<T>(work: (tests: ResumableTests) => Promise<T>): Promise<T> {
  const tests = new ResumableTests();
  try {
    const result = await work(tests);
    await tests.forget();
    return result;
  } catch (error) {
    if (error instanceof Interrupted) tests.keep();
    throw error;
  }
}

function fileOf(kind: string, { data, shape }: Matrix, options: object): string {
  const key = createHash('sha256')
    .update(JSON.stringify({ revision: REVISION, kind, shape, options }))
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
  return cacheFolder('interrupted', `${key.slice(0, 20)}.json`);
}

/** Empty where there is no readable file: the test then starts from the beginning. */
async function read<Result, Progress>(file: string): Promise<Kept<Result, Progress>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Kept<Result, Progress>;
  } catch {
    return {};
  }
}

function write(file: string, kept: Kept<unknown, unknown>): void {
  writeAtomically(file, [JSON.stringify(kept)]);
}
