/** Shares the cores among programs that run at the same time. */
import { availableParallelism } from 'node:os';

/**
 * Threads for each of `programs` programs. With more threads than cores, the parts of a product wait for each other: on two
 * cores, two simultaneous trainings took 5 to 20 % longer with two threads each than with one, two passes over images 5 %,
 * and a training beside a pass over images 50 %.
 */
export const coresFor = (programs) => Math.max(1, Math.floor(availableParallelism() / programs));
