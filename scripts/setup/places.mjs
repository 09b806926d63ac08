/** Folders and files. Everything that set-up writes is in one of these folders. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Downloads, libtensorflow and the built addons. ATTENTION_CACHE names another folder, which several checkouts may share. */
export const cache = process.env.ATTENTION_CACHE ? resolve(process.env.ATTENTION_CACHE) : join(root, 'data', 'cache');

export const venv = join(root, '.venv');

/** The Python with Jupyter. */
export const python = join(venv, 'bin', 'python');

export const tfjsPackage = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');

/** Everything that is fetched, with versions, hashes and licences; the file's `comment` explains the fields. */
export const sources = JSON.parse(readFileSync(join(root, 'data', 'sources.json'), 'utf8')).sources;
