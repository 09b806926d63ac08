import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runNode, scriptUrl, temporaryFolder } from './scripts';

test('a cache with a relative name is the same folder for the scripts and for a kernel, which starts elsewhere', async (t) => {
  const folder = realpathSync(temporaryFolder(t));
  const program = `
    import { jupyterEnvironment } from '${scriptUrl('notebooks/environment.mjs')}';
    console.log(jupyterEnvironment().ATTENTION_CACHE);`;
  const { status, stdout, stderr } = await runNode(
    ['--input-type=module', '--eval', program],
    { ATTENTION_CACHE: 'own-cache' },
    folder,
  );
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trim(), join(folder, 'own-cache'));
});
