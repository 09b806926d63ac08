import { existsSync, readFileSync, renameSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeAtomically } from '../../data';
import { InputError } from '../../input-error';
import { tf } from '../../tensor';
import type { MemorizationResult } from '../training/trainer';
import type { SweepRun } from './plan';

/** What the file of a finished run holds. */
export interface SweepResult {
  readonly run: string;
  readonly panel: string;
  readonly result: MemorizationResult;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: { readonly cpu: string; readonly threads: number; readonly host: string };
  /** When it was finished, ISO 8601. */
  readonly finished: string;
}

/** The file of a run's result in the folder of a sweep. */
export function resultFile(folder: string, run: Pick<SweepRun, 'id'>): string {
  return path.join(folder, `${run.id}.json`);
}

/** Writes a result atomically. */
export function writeResult(folder: string, { id, panel }: SweepRun, result: MemorizationResult): void {
  const content: SweepResult = {
    run: id,
    panel,
    result,
    versions: versions(),
    machine: { cpu: os.cpus()[0].model.trim(), threads: os.availableParallelism(), host: os.hostname() },
    finished: new Date().toISOString(),
  };
  writeAtomically(resultFile(folder, { id }), [`${JSON.stringify(content, null, 1)}\n`]);
}

/**
 * The result of a run, or null where there is none yet. A file that was cut short is renamed to `….broken`, `warn`
 * is told, and the run counts as missing.
 *
 * @throws InputError when the file holds a run of the same name with another configuration.
 */
export function readResult(folder: string, run: SweepRun, warn: (line: string) => void): SweepResult | null {
  const file = resultFile(folder, run);
  if (!existsSync(file)) return null;
  const content = parsed(file);
  if (content === null) {
    renameSync(file, `${file}.broken`);
    warn(`${run.id}: its result was cut short; it is kept as '${file}.broken', and the run is trained again`);
    return null;
  }
  requireConfiguration(file, content, run);
  return content;
}

/**
 * Checks the result of a run as {@link readResult} does, and renames nothing.
 *
 * @throws InputError when the file holds a run of the same name with another configuration.
 */
export function checkResult(folder: string, run: SweepRun): void {
  const file = resultFile(folder, run);
  const content = existsSync(file) ? parsed(file) : null;
  if (content !== null) requireConfiguration(file, content, run);
}

function requireConfiguration(file: string, content: SweepResult, run: SweepRun): void {
  const found = content.result.config as unknown as Record<string, unknown>;
  const wanted = run.config as unknown as Record<string, unknown>;
  const other = Object.keys({ ...wanted, ...found }).find((key) => found[key] !== wanted[key]);
  if (other !== undefined) {
    throw new InputError(
      `'${file}': expected a result with ${other} = ${JSON.stringify(wanted[other])}, got ` +
        `${JSON.stringify(found[other])}; choose another folder with --out, or delete the file.`,
    );
  }
}

function parsed(file: string): SweepResult | null {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Partial<SweepResult>;
    return content.result?.config && typeof content.finished === 'string' ? (content as SweepResult) : null;
  } catch {
    return null;
  }
}

function versions(): Record<string, string> {
  const own = JSON.parse(readFileSync(path.join(__dirname, '../../../package.json'), 'utf8')) as { version: string };
  return { 'attention-capacity': own.version, node: process.versions.node, tfjs: tf.version.tfjs };
}
