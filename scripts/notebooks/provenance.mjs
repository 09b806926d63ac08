/** What a run was made with, for its report: the commit and the versions of what computes and draws. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/places.mjs';

/** `{commit, versions}`; the commit is null outside a git checkout, and says so when files differ from it. */
export function provenance() {
  const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const versions = {
    'attention-capacity': version,
    Node: process.versions.node,
    tfjs: dependencies['@tensorflow/tfjs-node-gpu'],
    danfojs: dependencies['danfojs-node'],
    'plotly.js': dependencies['plotly.js-dist'],
  };
  return { commit: commit(), versions };
}

function commit() {
  const git = (...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const name = git('rev-parse', '--short=12', 'HEAD').trim();
    return git('status', '--porcelain', '--untracked-files=no').trim() === '' ? name : `${name} with changes`;
  } catch {
    return null;
  }
}
