import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeAtomically } from '../data';

type Values = Float32Array | Float64Array;

/** Layout: a line that names the format, a line of JSON, the arrays, SHA-256 of all that. */
export function writeState(file: string, format: string, header: object, arrays: readonly Values[]): void {
  const bytes = arrays.map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const parts: (string | Uint8Array)[] = [`${format}\n`, `${JSON.stringify(header)}\n`, ...bytes];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  writeAtomically(file, [...parts, hash.digest()]);
}

/** What {@link writeState} wrote: the header, and the arrays, which `next` gives in their order. */
export interface State {
  readonly header: unknown;
  next<V extends Values>(length: number, Type: { new (buffer: ArrayBuffer): V; BYTES_PER_ELEMENT: number }): V;
}

/** Reads a state; null where there is none, it has another format, or the file was cut short. */
export function readState(file: string, format: string): State | null {
  if (!existsSync(file)) return null;
  const bytes = readFileSync(file);
  const body = bytes.subarray(0, Math.max(bytes.length - 32, 0));
  const whole = createHash('sha256').update(body).digest().equals(bytes.subarray(body.length));
  if (!whole || !body.toString('latin1', 0, format.length + 1).startsWith(`${format}\n`)) return null;
  const headerEnd = body.indexOf('\n', format.length + 1);
  let at = headerEnd + 1;
  return {
    header: JSON.parse(body.toString('utf8', format.length + 1, headerEnd)),
    next(length, Type) {
      const size = length * Type.BYTES_PER_ELEMENT;
      // A copy: the file's bytes need not lie where numbers may.
      const values = new Type(new Uint8Array(body.subarray(at, at + size)).buffer);
      at += size;
      return values;
    },
  };
}
