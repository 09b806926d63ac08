import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';

/** The largest block that glibc's malloc may learn from (M_MMAP_THRESHOLD's upper bound). */
const LARGEST_BLOCK = 2 ** 25;
/** What malloc and TensorFlow add to a block. */
const HEADERS = 2 ** 13;

/**
 * Lets glibc keep up to 64 MiB of freed memory. By default it maps every large block from the
 * system and returns it as soon as it is freed, so that the tensors of every batch cost page faults again (a quarter of the
 * time of small factorizations). When such a block is freed, glibc raises its threshold and keeps blocks of that size from
 * then on, and twice as much at the end of its heap: one block of the largest size raises the threshold to its limit. With another malloc nothing changes.
 */
export function keepFreedMemory(binding: TFJSBinding): void {
  const block = new Int32Array((LARGEST_BLOCK - HEADERS) / Int32Array.BYTES_PER_ELEMENT);
  binding.deleteTensor(binding.createTensor([block.length], binding.TF_INT32, block));
}
