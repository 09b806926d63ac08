import type { ByteSource } from 'attention-capacity/data/files/safetensors';

/** A safetensors file in memory: the header's length, the header, the numbers. */
export function safetensorsBytes(header: unknown, data: Uint8Array): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** Bytes in memory that complain about a read that goes past their end, as a program error: the reader must never try. */
export function memoryBytes(bytes: Uint8Array): ByteSource {
  return {
    origin: 'memory',
    size: bytes.length,
    read(offset, length) {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
        throw new Error(`read of ${length} bytes at ${offset}, but there are ${bytes.length}`);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}
