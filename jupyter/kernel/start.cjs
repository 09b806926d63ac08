/** Starts the kernel of a notebook: `node --enable-source-maps start.cjs CONNECTION_FILE`. */
'use strict';

const { existsSync } = require('node:fs');
const path = require('node:path');

const connectionFile = process.argv[2];
if (!connectionFile) {
  process.stderr.write(
    'expected a connection file, which Jupyter names when it starts this kernel; open the notebooks with npm run lab\n',
  );
  process.exit(2);
}
const project = path.resolve(__dirname, '..', '..');
const needed = [path.join('lib', 'dist', 'index.js'), path.join('node_modules', 'tslab', 'package.json')];
if (!needed.every((file) => existsSync(path.join(project, file)))) {
  process.stderr.write(`The kernel is not set up: run \`npm run setup\` in ${project}, then restart the kernel.\n`);
  process.exit(2);
}

const { installSourceMaps } = require('./cells.cjs');
installSourceMaps();
require('./library.cjs').findPackages();

const { createConverter } = require('tslab/dist/converter.js');
const { createExecutor } = require('tslab/dist/executor.js');
const { Server } = require('./server.cjs');

const compiler = createConverter({ isJS: false, isBrowser: false });
let declarations = '';
const converters = {
  // When a cell fails, tslab forgets what it declared. Here, what was computed before an error or an interrupt is kept.
  node: {
    ...compiler,
    convert(_, source) {
      const result = compiler.convert(declarations, source);
      if (result.diagnostics.length === 0) declarations = result.declOutput ?? '';
      return result;
    },
    inspect: (_, source, position) => compiler.inspect(declarations, source, position),
    complete: (_, source, position) => compiler.complete(declarations, source, position),
  },
  get browser() {
    throw new Error('cells for the browser (/** @browser */) are not supported by this kernel');
  },
  close: () => compiler.close(),
};
const server = new Server((console) => createExecutor(process.cwd(), converters, console), connectionFile);
process.on('SIGINT', () => server.interrupt());
process.on('uncaughtException', (error) => server.uncaught(error));
process.on('unhandledRejection', (reason) => server.uncaught(reason));

/** Ends the kernel with its parent: work may still be running, and a killed Jupyter sends no shutdown. */
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(1);
}, 1000).unref();
const { close } = server;
server.close = () => {
  close.call(server);
  setTimeout(() => process.exit(0), 200);
};

server.init();
