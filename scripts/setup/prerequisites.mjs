/** Checks the machine before anything is downloaded, so that everything missing can be named at once. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cache, root } from './places.mjs';
import { size } from './progress.mjs';
import { run, temporaryFolder } from './run.mjs';

const PYTHONS = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'];
/** The newest version for which all pinned packages have wheels. */
const NEWEST_PYTHON = '3.14';
const COMPILERS = ['c++', 'g++', 'clang++'];

/** What is wrong with this Node, or undefined. */
export const { nodeProblem } = createRequire(import.meta.url)('../../lib/bin/node-version.js');

/** What is wrong with this platform, or undefined. */
export function platformProblem({ platform, arch, glibc, avx } = here()) {
  if (platform !== 'linux' || arch !== 'x64') {
    return `Linux on a 64-bit x86 processor is needed; this is ${platform} on ${arch}, for which nothing is pinned or tested. On macOS and Windows, use a Linux container or WSL 2.`;
  }
  if (!glibc || isOlder(glibc, '2.28')) {
    return `A Linux with glibc 2.28 or newer is needed (Debian 10, Ubuntu 20.04, RHEL 8 or later); this one has ${glibc ? `glibc ${glibc}` : 'another C library (musl?)'}.`;
  }
  if (!avx) return "A processor with AVX instructions is needed: TensorFlow's library is built for them.";
  return undefined;
}

function here() {
  const { platform, arch } = process;
  const cpu = platform === 'linux' ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return { platform, arch, glibc: process.report.getReport().header.glibcVersionRuntime, avx: /\bavx\b/.test(cpu) };
}

function isOlder(version, than) {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

/** `{interpreter}`, a Python that can make the environment, or `{problem}`. If the user named one, only that is tried. */
export async function findPython(candidates = PYTHONS, named = process.env.ATTENTION_PYTHON) {
  const seen = [];
  for (const name of named ? [named] : candidates) {
    const { status, output } = await run(name, [
      '-c',
      'import sys; print("%d.%d" % sys.version_info[:2], sys.executable, flush=True); import venv, ensurepip',
    ]);
    const answer = /^(\d+\.\d+) (.+)$/m.exec(output);
    if (!answer) {
      if (named) seen.push(`${name} does not run as a Python (${output.trim().split('\n').pop()})`);
      continue;
    }
    const [, version, interpreter] = answer;
    if (isOlder(version, '3.11')) seen.push(`${name} is ${version}`);
    else if (isOlder(NEWEST_PYTHON, version))
      seen.push(`${name} is ${version}, for which some packages have no wheels`);
    else if (status !== 0) seen.push(`${name} (${version}) lacks venv or ensurepip`);
    else return { interpreter };
  }
  const found = seen.length > 0 ? `found: ${[...new Set(seen)].join(', ')}` : 'none was found';
  const remedy = named
    ? 'Name another one in ATTENTION_PYTHON, or unset it.'
    : 'Install it (Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3), or name one in ATTENTION_PYTHON.';
  return { problem: `Python 3.11 or newer, up to ${NEWEST_PYTHON}, with venv is needed; ${found}. ${remedy}` };
}

/** `{compiler}`, which compiles C++17, or `{problem}`. If the user named one, only that is tried. */
export async function findCompiler(candidates = COMPILERS, named = process.env.CXX) {
  const folder = mkdtempSync(join(temporaryFolder(), 'compiler-'));
  const failed = [];
  try {
    const code = join(folder, 'probe.cc');
    writeFileSync(
      code,
      '#include <string_view>\nint main() { constexpr std::string_view works = "C++17"; return works.size() == 5 ? 0 : 1; }\n',
    );
    for (const compiler of named ? [named] : candidates) {
      const { status } = await run(compiler, ['-std=c++17', '-fPIC', '-shared', code, '-o', join(folder, 'probe.so')]);
      if (status === 0) return { compiler };
      if (status !== 127) failed.push(compiler);
      else if (named)
        return { problem: `CXX is '${named}', which is not a program here. Name a C++17 compiler in it, or unset it.` };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const found = failed.length > 0 ? `${failed.join(', ')} cannot compile a small file` : 'none was found';
  const remedy = named
    ? 'Name another one in CXX, or unset it.'
    : 'Install one (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++), or name one in CXX.';
  return {
    problem: `A C++17 compiler is needed to build TensorFlow's addon and the native kernels; ${found}. ${remedy}`,
  };
}

/** Which folder is not writable, or undefined. */
export function writableProblem(folders = [root, cache]) {
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
    } catch {
      return `The folder ${folder} must be writable, but is not; ${folder === cache ? 'name a folder of your own in ATTENTION_CACHE' : 'clone into a folder of your own'}, or change its permissions.`;
    }
  }
  return undefined;
}

/** That less than `needed` bytes of the disk are free, or undefined; `free` is for tests. */
export function spaceProblem(needed, folder = existsSync(cache) ? cache : root, free = freeBytes(folder)) {
  if (free >= needed) return undefined;
  return `${size(needed)} of free disk space are needed; ${folder} has ${size(free)}. Free some, or put the downloads on another disk with ATTENTION_CACHE.`;
}

/** Bytes that a user may still write on the disk of a folder. */
export function freeBytes(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
