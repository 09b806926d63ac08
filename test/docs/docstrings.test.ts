/** `npm run docs` as far as its warnings: links that lead nowhere, types that are spoken of and not exported. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, runNode } from '../setup/scripts';

test('the docstrings give documentation without a warning', async () => {
  const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
  const options = ['--options', join(root, 'docs', 'typedoc.json'), '--emit', 'none', '--logLevel', 'Warn'];
  const { status, stdout, stderr } = await runNode([typedoc, ...options], { NO_COLOR: '1' });
  assert.deepEqual([status, stdout + stderr], [0, '']);
});
