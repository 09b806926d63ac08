/** Everything a notebook needs, in one import. */
export { InputError } from './input-error';
export { Interrupted, watchWith, interruptWork } from './pace';
