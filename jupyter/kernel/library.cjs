/**
 * The library under a running kernel. A kernel has loaded it once, code and declarations, and keeps it until it is
 * restarted; when it is built anew meanwhile, the kernel says so instead of mixing the two. (tslab's compiler would watch
 * the declarations, and fails with "Unexpected pending rebuildTimer" when many change at once.)
 */
'use strict';

const { statSync } = require('node:fs');
const path = require('node:path');

const project = path.resolve(__dirname, '..', '..');
const KEPT = [path.join(project, 'lib') + path.sep, path.join(project, 'node_modules')];
/** Every build writes it, last. */
const BUILD = path.join(project, 'lib', 'dist', 'tsconfig.tsbuildinfo');

/** Makes a compiler's `system` watch nothing of the library and of installed packages; a notebook's own modules stay watched. */
function keepLibrary(system) {
  for (const watch of ['watchFile', 'watchDirectory']) {
    const original = system[watch];
    system[watch] = (where, ...rest) =>
      KEPT.some((folder) => where.startsWith(folder)) ? { close: () => undefined } : original(where, ...rest);
  }
}

const built = () => statSync(BUILD, { throwIfNoEntry: false })?.mtimeMs;
let known = built();

/** True once after each build that came after the kernel's start. */
function builtAnew() {
  const before = known;
  known = built();
  return known !== before && known !== undefined;
}

module.exports = { keepLibrary, builtAnew };
