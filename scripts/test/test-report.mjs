/**
 * The reporter of `npm test`: one line per test file; at the end, everything about failures and one line of counts. The
 * output of a test file is shown only if something in it failed.
 */
import { relative, resolve } from 'node:path';
import { inspect } from 'node:util';
import { root } from '../setup/places.mjs';

/** test/dist/rank/tolerance.test.js, or its source, becomes rank/tolerance. */
function roomOf(file) {
  return relative(root, file)
    .replace(/^test\/(dist\/)?/, '')
    .replace(/\.test\.[cm]?[jt]s$/, '');
}

/** A suite fails when one of its tests fails; that is the same failure again. */
const isEcho = (error) => error?.failureType === 'subtestsFailed';

/** Test files are tests too; newer versions of Node name them by their relative path. */
const isTestFile = ({ nesting, name, file }) => nesting === 0 && file !== undefined && resolve(name) === file;

function explain(error) {
  const cause = error?.cause ?? error;
  return cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause);
}

const indented = (text) => text.trimEnd().replace(/^/gm, '    ');

/** The results of one test file. */
class Room {
  constructor(name) {
    Object.assign(this, { name, passed: 0, skipped: [], failures: [], milliseconds: 0, printed: '' });
  }

  /** Counts a finished test. Suites do not count, and a file does only if it failed as a whole. */
  count(data, failed) {
    const isFile = isTestFile(data);
    if (data.nesting === 0) this.milliseconds += data.details.duration_ms;
    if (data.skip !== undefined || data.todo !== undefined) this.skipped.push(data.name);
    else if (failed && !isEcho(data.details.error))
      this.failures.push({ test: isFile ? 'the file itself' : data.name, error: data.details.error });
    else if (!failed && !isFile && data.details.type !== 'suite') this.passed++;
  }

  line() {
    const counts = [`${this.passed} passed`];
    if (this.failures.length > 0) counts.push(`${this.failures.length} failed`);
    if (this.skipped.length > 0) counts.push(`${this.skipped.length} skipped`);
    const mark = this.failures.length > 0 ? 'FAILED' : 'ok    ';
    return `${mark}  ${this.name}: ${counts.join(', ')} (${(this.milliseconds / 1000).toFixed(1)} s)\n`;
  }

  *details() {
    for (const name of this.skipped) yield `skipped in ${this.name}: ${name}\n`;
    for (const { test, error } of this.failures)
      yield `\nFAILED in ${this.name}: ${test}\n${indented(explain(error))}\n`;
    if (this.failures.length > 0 && this.printed) yield `\n  ${this.name} printed:\n${indented(this.printed)}\n`;
  }
}

export default async function* report(events) {
  const rooms = new Map();
  const roomFor = (file) => {
    const name = roomOf(file);
    return rooms.get(name) ?? rooms.set(name, new Room(name)).get(name);
  };
  const files = new Set(); // by their rooms: compiled files run, but events name their sources
  const isOfItsFile = ({ file }) => files.size === 0 || files.has(roomOf(file));
  let current; // the events of one file are contiguous
  let pending = []; // events of tests that are defined in another file, by a function that test files share
  for await (const { type, data } of events) {
    if (type === 'test:enqueue' && isTestFile(data)) files.add(roomOf(data.file));
    if (type === 'test:stdout' || type === 'test:stderr') roomFor(data.file).printed += data.message;
    if (type === 'test:summary' && data.file !== undefined && current !== undefined) {
      // Node 22 and later report the end of a file.
      for (const each of pending.splice(0)) current.count(...each);
      yield current.line();
      current = undefined;
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    pending.push([data, type === 'test:fail']);
    if (!isOfItsFile(data)) continue;
    const room = roomFor(data.file);
    if (current !== undefined && current !== room) yield current.line();
    current = room;
    for (const each of pending.splice(0)) room.count(...each);
  }
  for (const each of pending) current?.count(...each);
  if (current !== undefined) yield current.line();

  const all = [...rooms.values()];
  for (const room of all) yield* room.details();
  const sum = (count) => all.reduce((total, room) => total + count(room), 0);
  const counts = [`${sum((room) => room.passed)} passed`, `${sum((room) => room.failures.length)} failed`];
  const skipped = sum((room) => room.skipped.length);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  yield `\nTests: ${counts.join(', ')}\n`;
}
