/** The command that starts JupyterLab: its user's options replace ours, because JupyterLab refuses one that is given twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { script } from '../setup/scripts';

const command = async (...options: string[]): Promise<string[]> =>
  (await script('notebooks/lab.mjs')).labCommand({ folder: '/ours', options })[1] as string[];
const named = (args: readonly string[], name: string) => args.filter((arg) => arg.startsWith(name));

test('without options the folder is ours', async () => {
  assert.deepEqual(named(await command(), '--ServerApp.root_dir'), ['--ServerApp.root_dir=/ours']);
});

test('an option that is given replaces ours, whichever it is', async () => {
  for (const option of [
    '--ServerApp.root_dir=/yours',
    '--LabApp.news_url=https://example.org',
    '--KernelSpecManager.ensure_native_kernel=True',
  ]) {
    const args = await command(option, '--no-browser');
    assert.deepEqual(named(args, option.split('=')[0]), [option]);
    assert.ok(args.includes('--no-browser'));
  }
  const args = await command('--notebook-dir=/yours');
  assert.deepEqual(named(args, '--ServerApp.root_dir'), []);
});
