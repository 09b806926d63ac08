/**
 * Loads the main packages of the project whose folder is the argument, and prints as JSON, by name, why some do not load. A separate
 * program, because a broken package may end it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import { Script } from 'node:vm';

const root = process.argv[2];
const load = createRequire(join(root, 'package.json')) as (name: string) => unknown;
const read = (...path: string[]) => readFileSync(join(root, 'node_modules', ...path), 'utf8');

// Node 23 removed them; TensorFlow's package calls them (../tensor/node-compatibility).
Object.assign(util, {
  isArray: Array.isArray,
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
});

const attempts: Record<string, () => unknown> = {
  'danfojs-node': () => load('danfojs-node'),
  // It needs a browser, so it is only compiled.
  'plotly.js-dist': () => new Script(read('plotly.js-dist', 'plotly.js')),
  tslab: () => [load('tslab/dist/jupyter.js'), load('tslab/dist/converter.js')],
  typescript: () => load('typescript'),
};
const problems: Record<string, string> = {};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    attempt();
  } catch (error) {
    problems[name] = String(error instanceof Error ? error.message : error).split('\n')[0];
  }
}
process.stdout.write(`\n${JSON.stringify(problems)}`, () => process.exit());
