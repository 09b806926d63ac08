import type { TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';

/** The largest block that glibc's malloc may learn from (M_MMAP_THRESHOLD's upper bound). */
const LARGEST_BLOCK = 2 ** 25;
/** What malloc and TensorFlow add to a block. */
const HEADERS = 2 ** 13;

/**
 * Lets glibc keep up to 64 MiB of freed memory. It starts by mapping every large block anew and giving it back at once, so
 * that each batch's tensors are paid for twice, in work and in page faults (a quarter of the time of small
 * factorizations). From every such block that is freed it learns to keep blocks of that size, and twice as much at the end
 * of its heap: one block of the largest size teaches it all it can learn. With another malloc nothing changes.
 */
export function keepFreedMemory(binding: TFJSBinding): void {
  const block = new Int32Array((LARGEST_BLOCK - HEADERS) / Int32Array.BYTES_PER_ELEMENT);
  binding.deleteTensor(binding.createTensor([block.length], binding.TF_INT32, block));
}
