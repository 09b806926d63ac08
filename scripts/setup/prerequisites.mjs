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
import { join } from 'node:path';
import { cache, root } from './places.mjs';
import { size } from './progress.mjs';
import { run, temporaryFolder } from './run.mjs';

const FOUND_BY_ENVIRONMENT = [process.env.ATTENTION_PYTHON].filter(Boolean);
const PYTHONS = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python'];
const COMPILERS = [...[process.env.CXX].filter(Boolean), 'c++', 'g++', 'clang++'];

/** What is wrong with this Node, or undefined. */
export function nodeProblem(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  const oldest = { 20: 19, 22: 13, 24: 0 }[major];
  if (oldest !== undefined && minor >= oldest) return undefined;
  return `Node 20.19 or later, 22.13 or later, or 24 is needed; this is ${version}. Install one of them (https://nodejs.org) and run the same command again.`;
}

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

/** `{interpreter}`, a Python that can make the environment, or `{problem}`. */
export async function findPython(candidates = [...FOUND_BY_ENVIRONMENT, ...PYTHONS]) {
  const seen = [];
  for (const name of candidates) {
    const { status, output } = await run(name, [
      '-c',
      'import sys; print("%d.%d" % sys.version_info[:2], sys.executable, flush=True); import venv, ensurepip',
    ]);
    const answer = /^(\d+\.\d+) (.+)$/m.exec(output);
    if (!answer) continue;
    const [, version, interpreter] = answer;
    if (isOlder(version, '3.11')) seen.push(`${name} is ${version}`);
    else if (status !== 0) seen.push(`${name} (${version}) lacks venv or ensurepip`);
    else return { interpreter };
  }
  const found = seen.length > 0 ? `found: ${[...new Set(seen)].join(', ')}` : 'none was found';
  return {
    problem: `Python 3.11 or newer with venv is needed; ${found}. Install it (Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3), or name one in ATTENTION_PYTHON.`,
  };
}

/** `{compiler}`, which compiles C++17, or `{problem}`. */
export async function findCompiler(candidates = COMPILERS) {
  const folder = mkdtempSync(join(temporaryFolder(), 'compiler-'));
  const failed = [];
  try {
    const code = join(folder, 'probe.cc');
    writeFileSync(
      code,
      '#include <string_view>\nint main() { constexpr std::string_view works = "C++17"; return works.size() == 5 ? 0 : 1; }\n',
    );
    for (const compiler of candidates) {
      const { status } = await run(compiler, ['-std=c++17', '-fPIC', '-shared', code, '-o', join(folder, 'probe.so')]);
      if (status === 0) return { compiler };
      if (status !== 127) failed.push(compiler);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const found = failed.length > 0 ? `${failed.join(', ')} cannot compile a small file` : 'none was found';
  return {
    problem: `A C++17 compiler is needed to build TensorFlow's addon and the native kernels; ${found}. Install one (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++), or name one in CXX.`,
  };
}

/** That npm is missing or too old, or undefined. */
export async function npmProblem() {
  const { status, output } = await run('npm', ['--version']);
  const version = /^\d+\.\d+\.\d+/m.exec(output)?.[0];
  if (status === 0 && version && Number(version.split('.')[0]) >= 9) return undefined;
  return `npm 9 or newer is needed; ${version ? `this is ${version}` : 'none was found'}. It comes with Node; Debian has a separate package (apt install npm).`;
}

/** Which folder is not writable, or undefined. */
export function writableProblem(folders = [root, cache]) {
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
    } catch {
      return `The folder ${folder} must be writable, but is not; clone into a folder of your own, or change its permissions.`;
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
