import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../data/project-root';
import type { Finding } from './report';

const execute = promisify(execFile);
const SET_UP = 'npm run setup';
const FRESH = 'npm run setup -- --fresh';

/** What a program prints on standard output, trimmed; rejects when it fails or takes longer than five minutes. */
async function answerOf(program: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await execute(program, args, { timeout: 300_000, env });
  return stdout.trim();
}

/** lib/bin is plain JavaScript, because it runs before anything is built. */
const { nodeProblem } = createRequire(__filename)('../../bin/node-version.js') as {
  nodeProblem: (version: string) => string | undefined;
};

/** Node, npm, and Node's packages: loads the main ones and checks the versions of all. */
export async function examineNode(): Promise<Finding[]> {
  const part = 'Node';
  const found = process.versions.node;
  const problem = nodeProblem(found);
  const node: Finding = { part, name: 'node', ok: problem === undefined, found, remedy: problem };
  const npm = await answerOf('npm', ['--version']).then(
    (version) => ({ part, name: 'npm', ok: true, found: version }),
    () => ({ part, name: 'npm', ok: false, found: 'does not run', remedy: 'install npm; it comes with Node' }),
  );
  const packages = ['@tensorflow/tfjs-node-gpu', 'danfojs-node', 'plotly.js-dist', 'tslab', 'typescript'];
  const problems = await loadProblems();
  return [node, npm, ...packages.map((name) => packageFinding(part, name, problems[name])), lockedFinding(part)];
}

/** Why main packages do not load, by name. TensorFlow's is loaded by {@link examineComputing}. */
async function loadProblems(): Promise<Record<string, string>> {
  try {
    const said = await answerOf(process.execPath, [join(__dirname, 'load-packages.js'), projectRoot()]);
    return JSON.parse(said.split('\n').at(-1)!) as Record<string, string>;
  } catch (error) {
    return { typescript: `loading the packages ended with: ${String(error).split('\n')[0]}` };
  }
}

interface Manifest {
  readonly version: string;
}

/** The package.json of an installed package: 'missing', or 'broken' when it cannot be read. */
function manifestOf(folder: string): Manifest | 'missing' | 'broken' {
  const file = join(projectRoot(), folder, 'package.json');
  if (!existsSync(file)) return 'missing';
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch {
    return 'broken';
  }
}

function packageFinding(part: string, name: string, problem: string | undefined): Finding {
  const manifest = manifestOf(join('node_modules', name));
  if (manifest === 'missing') return { part, name, ok: false, found: 'not installed', remedy: SET_UP };
  const found = manifest === 'broken' ? 'its package.json cannot be read' : `does not load: ${problem}`;
  if (manifest === 'broken' || problem !== undefined) return { part, name, ok: false, found, remedy: FRESH };
  return { part, name, ok: true, found: manifest.version };
}

interface Lock {
  readonly packages: Record<string, { readonly version?: string; readonly optional?: true; readonly link?: true }>;
}

/** All packages of package-lock.json, by the versions in their own package.json. */
function lockedFinding(part: string): Finding {
  const { packages } = JSON.parse(readFileSync(join(projectRoot(), 'package-lock.json'), 'utf8')) as Lock;
  const wanted = Object.entries(packages).filter(
    ([folder, { optional }]) => folder.includes('node_modules/') && !optional,
  );
  const wrong = wanted.filter(([folder, { version, link }]) => {
    const manifest = manifestOf(folder);
    return typeof manifest === 'string' || (!link && manifest.version !== version);
  });
  const count = `${wanted.length - wrong.length} of ${wanted.length}`;
  const found = wrong.length === 0 ? `${count} in their versions` : `${count}; ${wrong[0][0]} is missing or broken`;
  return { part, name: 'all packages', ok: wrong.length === 0, found, remedy: FRESH };
}

const KERNEL = 'attention-capacity';
const PYTHON_PACKAGES = ['jupyterlab', 'nbconvert', 'nbclient', 'nbformat', 'plotly', 'papermill', 'jupytext'];

/**
 * A script for the project's Python: whether Jupyter finds the kernel; versions of packages, or why they cannot be imported; and
 * for all distributions, files that are missing or whose size has changed since their installation (PyPA, "Recording installed
 * projects").
 */
const QUESTION = `
import importlib, json, os, platform, sys
from importlib.metadata import PackageNotFoundError, distributions, version
def found(name):
    try:
        importlib.import_module(name)
        return {"version": version(name)}
    except PackageNotFoundError: return {}
    except Exception as error: return {"problem": f"{type(error).__name__}: {error}"}
def kernel(name):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    try: spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel: return None
    return {"name": spec.display_name, "folder": spec.resource_dir}
def wrong(file):
    if file.size is None: return False
    try: return os.stat(file.locate()).st_size != file.size
    except OSError: return True
name, *packages = sys.argv[1:]
answer = {"python": platform.python_version(), "packages": {p: found(p) for p in packages}}
answer["kernel"] = kernel(name)
every = [(d, [f for f in d.files or [] if wrong(f)]) for d in distributions()]
answer["distributions"] = len(every)
answer["broken"] = [f"{d.name}: {files[0]}" for d, files in every if files]
print(json.dumps(answer))
`;

interface Answer {
  readonly python: string;
  readonly packages: Record<string, { readonly version?: string; readonly problem?: string }>;
  readonly kernel: { readonly name: string; readonly folder: string } | null;
  readonly distributions: number;
  readonly broken: readonly string[];
}

/** The project's Python environment, Jupyter in it, and the notebooks' kernel. */
export async function examineNotebooks(): Promise<Finding[]> {
  const part = 'Notebooks';
  const root = projectRoot();
  const home = join(root, '.jupyter'); // otherwise Jupyter and IPython would write to the home folder
  const env = {
    ...process.env,
    JUPYTER_PATH: join(root, 'jupyter'),
    JUPYTER_CONFIG_DIR: join(home, 'config'),
    JUPYTER_DATA_DIR: join(home, 'data'),
    JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
    IPYTHONDIR: join(home, 'ipython'),
  };
  let answer: Answer;
  const python = join(root, '.venv', 'bin', 'python');
  if (!existsSync(python)) return [{ part, name: 'python', ok: false, found: 'there is no .venv', remedy: SET_UP }];
  try {
    answer = JSON.parse(await answerOf(python, ['-c', QUESTION, KERNEL, ...PYTHON_PACKAGES], env)) as Answer;
  } catch (error) {
    const reason = String(error).trim().split('\n').at(-1);
    return [{ part, name: 'python', ok: false, found: `the environment .venv is broken (${reason})`, remedy: FRESH }];
  }
  const { distributions, broken } = answer;
  const folder = join(root, 'jupyter', 'kernels', KERNEL);
  const whole = `${distributions - broken.length} of ${distributions}`;
  return [
    { part, name: 'python', ok: true, found: answer.python },
    ...PYTHON_PACKAGES.map((name) => {
      const { version, problem = 'not installed' } = answer.packages[name];
      return { part, name, ok: version !== undefined, found: version ?? problem, remedy: FRESH };
    }),
    {
      part,
      name: 'all packages',
      ok: broken.length === 0,
      found: broken.length === 0 ? `${whole} whole` : `${whole}; a file is missing or changed in ${broken[0]}`,
      remedy: FRESH,
    },
    {
      part,
      name: 'kernel',
      ok: answer.kernel?.folder === folder,
      found:
        answer.kernel?.folder === folder ? answer.kernel.name : `Jupyter finds no kernel named ${KERNEL} in ${folder}`,
      remedy: `restore the folder jupyter/kernels/${KERNEL} of the checkout: git restore jupyter`,
    },
    kernelspecFinding(part, root),
  ];
}

/** The kernel as programs in the activated environment and graphical ones find it. */
function kernelspecFinding(part: string, root: string): Finding {
  const file = join(root, '.venv', 'share', 'jupyter', 'kernels', KERNEL, 'kernel.json');
  const finding = { part, name: 'kernel in .venv', remedy: SET_UP };
  try {
    const { argv } = JSON.parse(readFileSync(file, 'utf8')) as { argv: string[] };
    const missing = argv.find((path) => isAbsolute(path) && !existsSync(path));
    if (missing === undefined) return { ...finding, ok: true, found: `runs in ${argv[0]}` };
    return { ...finding, ok: false, found: `${missing} is missing` };
  } catch {
    return { ...finding, ok: false, found: `${file} is missing or broken` };
  }
}
