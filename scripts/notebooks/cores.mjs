/** How the cores are shared by programs that compute at the same time. */
import { availableParallelism } from 'node:os';

/**
 * Threads for each of so many programs. With more threads than cores the parts of one product wait for each other: on two
 * cores, two trainings at once took 5 to 20 % longer with two threads each than with one, two passes over images 5 %, and
 * a training beside a pass half as long again.
 */
export const coresFor = (programs) => Math.max(1, Math.floor(availableParallelism() / programs));
