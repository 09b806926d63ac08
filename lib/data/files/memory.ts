import { freemem } from 'node:os';
import { InputError } from '../../input-error';

/**
 * Refuses work that does not fit into the free memory.
 *
 * @param bytes what is needed
 * @param what the subject of the message, for example `'features.npy'`
 * @param remedy what to do
 * @throws InputError that names both sizes.
 */
export function requireMemory(
  bytes: number,
  what: string,
  remedy = 'use fewer rows or a machine with more memory',
): void {
  const free = freeMemory();
  if (bytes <= free) return;
  throw new InputError(`${what} needs ${inBytes(bytes)} of memory, ${inBytes(free)} are free; ${remedy}`);
}

/** Free memory in bytes. A container's limit counts from Node 20.13 on. */
export function freeMemory(): number {
  return process.availableMemory?.() ?? freemem();
}

/** A size for messages: `1.2 GB`, in powers of 1000. */
export function inBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 99.5 ? Math.round(size) : size.toPrecision(2)} ${units[unit]}`;
}
