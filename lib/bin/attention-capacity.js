#!/usr/bin/env node
// The command as it is installed: plain JavaScript, because the rest may not be built yet. What is missing is set up first
// (messages go to standard error), then the compiled command line takes over.
'use strict';
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

const lib = dirname(__dirname);
const root = dirname(lib);

const needed = [
  join(lib, 'dist', 'cli', 'cli.js'),
  join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8', 'tfjs_binding.node'),
];
if (!needed.every((file) => existsSync(file))) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'setup', 'setup.mjs')], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
}
const [major] = process.versions.node.split('.').map(Number);
if (![20, 22, 24].includes(major)) {
  process.stderr.write(`Node 20, 22 or 24 is needed; this is ${process.versions.node}\n`);
  process.exit(2);
}
require(needed[0]);
