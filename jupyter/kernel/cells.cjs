/**
 * Finds the cell and line that a line of running JavaScript was compiled from.
 *
 * tslab compiles a cell in two steps (TypeScript to ES modules, those to CommonJS), keeps no source map and gives every
 * cell the same file name. Here both steps keep their maps, and each cell runs under the file name `In [n]`.
 */
'use strict';

const { SourceMap } = require('node:module');
const vm = require('node:vm');
const { findDeclarations, keepLibrary } = require('./library.cjs');

const typescriptPath = require.resolve('@tslab/typescript-for-tslab', { paths: [require.resolve('tslab')] });
const INLINE_MAP = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)\s*$/;
/** Lines that tslab puts before the cell's own text. */
const LINES_BEFORE_CELL = 1;
/** tslab wraps the code in a function, whose head moves the columns of the first line. */
const WRAPPER = /^\((async )?function\(exports, require\) \{ /;

/** Cells that ran, by file name: the source and the maps, newest step first. */
const cells = new Map();
let current;
let stepsOfLatest = [];

/** Must be called before tslab is loaded. */
function installSourceMaps() {
  const typescript = require(typescriptPath);
  require.cache[typescriptPath].exports = {
    ...typescript,
    createWatchCompilerHost(files, options, system, ...rest) {
      keepLibrary(system);
      const complete = { ...findDeclarations(options), inlineSourceMap: true };
      return typescript.createWatchCompilerHost(files, complete, system, ...rest);
    },
    transpileModule(text, options) {
      const inline = INLINE_MAP.exec(text);
      const source = inline ? text.slice(0, inline.index) : text;
      const result = typescript.transpileModule(source, {
        ...options,
        compilerOptions: { ...options.compilerOptions, sourceMap: true },
      });
      const toCell = inline && JSON.parse(Buffer.from(inline[1], 'base64').toString());
      stepsOfLatest = toCell ? [JSON.parse(result.sourceMapText), toCell] : [];
      return { ...result, outputText: result.outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '') };
    },
  };

  const { runInThisContext } = vm;
  vm.runInThisContext = (code, options) => {
    const head = WRAPPER.exec(code);
    if (!current || !head) return runInThisContext(code, options);
    const { name, source } = current;
    cells.set(name, {
      source,
      steps: stepsOfLatest.map((map) => new SourceMap(map)),
      headLength: head[0].length,
      lines: code.split('\n').length - 1,
    });
    try {
      return runInThisContext(code, { ...options, filename: name });
    } finally {
      listenAgain();
    }
  };
}

/**
 * While a cell's synchronous part runs, Node handles SIGINT itself (`breakOnSigint`). If a listener is added meanwhile, as
 * `lib/work.ts` does, Node's handler replaces libuv's, and later a SIGINT ends the process. Adding all listeners again
 * restores libuv's handler.
 */
function listenAgain() {
  const listeners = process.listeners('SIGINT');
  process.removeAllListeners('SIGINT');
  for (const listener of listeners) process.on('SIGINT', listener);
}

/** From now on the cell `name` runs, whose text is `source`. */
function beginCell(name, source) {
  current = { name, source };
}

function endCell() {
  current = undefined;
}

/**
 * The position in a cell's text that `line` and `column` (counted from 1) of its JavaScript were compiled from, or
 * undefined for code that the user did not write.
 */
function placeInCell(name, line, column) {
  const cell = cells.get(name);
  // The last line calls the wrapper.
  if (!cell || line > cell.lines) return undefined;
  let place = { line: line - 1, column: column - 1 - (line === 1 ? cell.headLength : 0) };
  for (const map of cell.steps) {
    const entry = map.findEntry(place.line, Math.max(0, place.column));
    if (entry.originalLine === undefined) return undefined;
    place = { line: entry.originalLine, column: entry.originalColumn };
  }
  const found = place.line - LINES_BEFORE_CELL;
  const lines = cell.source.split('\n');
  if (found < 0 || found >= lines.length) return undefined;
  return { line: found + 1, column: place.column + 1, text: lines[found] };
}

module.exports = { installSourceMaps, beginCell, endCell, placeInCell };
