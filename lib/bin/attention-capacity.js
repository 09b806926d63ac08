#!/usr/bin/env node
// The command as it is installed: plain JavaScript, because the rest may not be built yet. What is missing is set up first
// (messages go to standard error), then the compiled command line takes over.
'use strict';
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { nodeProblem } = require('./node-version.js');

const problem = nodeProblem();
if (problem) {
  process.stderr.write(`${problem}\n`);
  process.exit(2);
}
const lib = dirname(__dirname);
const root = dirname(lib);

const needed = [
  join(lib, 'dist', 'cli', 'cli.js'),
  join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8', 'tfjs_binding.node'),
];
if (needed.every((file) => existsSync(file))) require(needed[0]);
else {
  const setUp = spawn(process.execPath, [join(root, 'scripts', 'setup', 'setup.mjs')], { stdio: ['ignore', 2, 2] });
  // The terminal's Ctrl-C reaches it too.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => name !== 'SIGINT' && setUp.kill(name));
  setUp.on('close', (status) => {
    if (status !== 0) process.exit(status ?? 1);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
    require(needed[0]);
  });
}
