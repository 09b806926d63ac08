/**
 * The library in a running kernel. A kernel loads code and declarations once and keeps them until it is restarted. When
 * the library is rebuilt meanwhile, the kernel says so and does not mix the two. (tslab's compiler would watch the
 * declarations, and fails with "Unexpected pending rebuildTimer" when many change at once.)
 */
'use strict';

const { statSync } = require('node:fs');
const path = require('node:path');

const project = path.resolve(__dirname, '..', '..');
const KEPT = [path.join(project, 'lib') + path.sep, path.join(project, 'node_modules')];
/** The last file that a build writes. */
const BUILD = path.join(project, 'lib', 'dist', 'tsconfig.tsbuildinfo');

/** Stops a compiler's `system` from watching the library and installed packages; a notebook's own modules stay watched. */
function keepLibrary(system) {
  for (const watch of ['watchFile', 'watchDirectory']) {
    const original = system[watch];
    system[watch] = (where, ...rest) =>
      KEPT.some((folder) => where.startsWith(folder)) ? { close: () => undefined } : original(where, ...rest);
  }
}

const built = () => statSync(BUILD, { throwIfNoEntry: false })?.mtimeMs;
let known = built();

/** True once after each build since the kernel's start. */
function rebuilt() {
  const before = known;
  known = built();
  return known !== before && known !== undefined;
}

module.exports = { keepLibrary, rebuilt };
