/** Describes errors: Jupyter's `error` message, with a traceback of the user's and the library's lines. */
'use strict';

const path = require('node:path');
const { inspect, stripVTControlCharacters } = require('node:util');
const { placeInCell } = require('./cells.cjs');

const project = path.resolve(__dirname, '..', '..');
const FRAME = /^\s+at (?:async )?(?:(?<where>.*) \()?(?<file>[^()]+?):(?<line>\d+):(?<column>\d+)\)?$/;
/** Frames that do not help a reader: those of Node, tslab and the kernel. */
const MACHINERY = new RegExp(
  `^node:|[\\\\/]node_modules[\\\\/]@?tslab[\\\\/]|^${escaped(path.join(project, 'jupyter'))}`,
);

const red = (text) => `\x1b[31m${text}\x1b[39m`;
const grey = (text) => `\x1b[90m${text}\x1b[39m`;

/** @returns {{ename: string, evalue: string, traceback: string[]}} the content of an `error` message */
function describeError(thrown) {
  if (!isError(thrown)) {
    const evalue = typeof thrown === 'string' ? thrown : inspect(thrown);
    return { ename: 'Thrown', evalue, traceback: [`${red('Thrown')}: ${evalue}`] };
  }
  const ename = String(thrown.name || 'Error');
  const evalue = String(thrown.message);
  const traceback = [`${red(ename)}: ${evalue}`, ...frames(thrown)];
  if (thrown.cause !== undefined) {
    const cause = describeError(thrown.cause);
    traceback.push('', `caused by ${cause.traceback[0]}`, ...cause.traceback.slice(1));
  }
  for (const each of Array.isArray(thrown.errors) ? thrown.errors : []) {
    traceback.push('', ...describeError(each).traceback);
  }
  return { ename, evalue, traceback };
}

/** TypeScript's diagnostics, each {line, character, file, message}; line and character count from 1. */
function describeDiagnostics(diagnostics, source) {
  const lines = source.split('\n');
  const traceback = [];
  for (const { file, line, character, message } of diagnostics) {
    const place = file ? `${file}:${line}:${character}` : `line ${line}`;
    traceback.push(`${red('TypeScript')}: ${message} (${place})`);
    if (!file && lines[line - 1] !== undefined) traceback.push(...excerpt(line, character, lines[line - 1]));
  }
  const evalue = diagnostics.map(({ message, line }) => `${message} (line ${line})`).join('\n');
  return { ename: 'TypeScript', evalue, traceback };
}

function frames(error) {
  const out = [];
  let shownExcerpt = false;
  for (const text of String(error.stack ?? '').split('\n')) {
    const groups = FRAME.exec(text)?.groups;
    if (!groups || MACHINERY.test(groups.file.replace(/^file:\/\//, ''))) continue;
    const place = placeInCell(groups.file, Number(groups.line), Number(groups.column));
    if (place) {
      out.push(`    at ${groups.file}, line ${place.line}`);
      // One excerpt is enough: the user's innermost line.
      if (!shownExcerpt) out.push(...excerpt(place.line, place.column, place.text));
      shownExcerpt = true;
    } else if (!/^In \[/.test(groups.file)) {
      const file = groups.file.replace(/^file:\/\//, '');
      const relative = path.relative(project, file);
      const shown = relative.startsWith('..') || !path.isAbsolute(file) ? file : relative;
      const line = `    at ${groups.where ? `${groups.where} ` : ''}(${shown}:${groups.line}:${groups.column})`;
      out.push(shown.includes('node_modules') ? grey(line) : line);
    }
  }
  return out;
}

function excerpt(line, column, text) {
  const number = `${line} | `.padStart(12);
  return [grey(number) + text, ' '.repeat(number.length + column - 1) + red('^')];
}

/** Also recognises errors of other realms (vm, workers). */
function isError(value) {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

const plain = ({ traceback }) => stripVTControlCharacters(traceback.join('\n'));

module.exports = { describeError, describeDiagnostics, plain };
