/**
 * The library in a running kernel. A kernel loads code and declarations once and keeps them until it is restarted. When
 * the library is rebuilt meanwhile, the kernel says so and does not mix the two. (tslab's compiler would watch the
 * declarations, and fails with "Unexpected pending rebuildTimer" when many change at once.)
 */
'use strict';

const { existsSync, readFileSync, statSync } = require('node:fs');
const Module = require('node:module');
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

const PACKAGES = path.join(project, 'node_modules');

/**
 * Makes the library available to notebooks in any folder: the library and its dependencies are taken from this checkout if the
 * notebook's folder does not have its own. This is for the code that runs,
 */
function findPackages() {
  const before = process.env.NODE_PATH;
  process.env.NODE_PATH = [before, PACKAGES].filter(Boolean).join(path.delimiter);
  Module._initPaths();
  // Programs that a cell starts must not inherit it.
  if (before === undefined) delete process.env.NODE_PATH;
  else process.env.NODE_PATH = before;
}

/** and this for the compiler. Returns its `options` with the paths of the declarations. */
function findDeclarations(options, folder = process.cwd()) {
  const own = Module.createRequire(path.join(folder, 'cell.js'));
  const lib = path.join(project, 'lib');
  const { name: library, dependencies } = JSON.parse(readFileSync(path.join(lib, 'package.json'), 'utf8'));
  const paths = {};
  for (const name of [library, ...Object.keys(dependencies)]) {
    const isOwn = own.resolve.paths(name).some((place) => place !== PACKAGES && existsSync(path.join(place, name)));
    if (isOwn || folder.startsWith(project + path.sep)) continue;
    paths[name] = [name === library ? lib : path.join(PACKAGES, name)];
    paths[`${name}/*`] = [path.join(name === library ? path.join(lib, 'dist') : paths[name][0], '*')];
  }
  const roots = options.typeRoots ?? [];
  const hasNode = roots.some((root) => existsSync(path.join(root, 'node', 'package.json')));
  return { ...options, paths, typeRoots: hasNode ? roots : [...roots, path.join(PACKAGES, '@types')] };
}

const built = () => statSync(BUILD, { throwIfNoEntry: false })?.mtimeMs;
let known = built();

/** True once after each build since the kernel's start. */
function rebuilt() {
  const before = known;
  known = built();
  return known !== before && known !== undefined;
}

module.exports = { keepLibrary, rebuilt, findPackages, findDeclarations };
