import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../data/project-root';
import type { Finding } from './report';

const execute = promisify(execFile);
const SET_UP = 'npm run setup';

/** What a program prints on standard output, trimmed; rejects when it fails or takes longer than 30 seconds. */
async function answerOf(program: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await execute(program, args, { timeout: 30_000, env });
  return stdout.trim();
}

/** Node, npm, and the main packages. */
export async function examineNode(): Promise<Finding[]> {
  const part = 'Node';
  const tried = ['20', '22', '24'];
  const node: Finding = {
    part,
    name: 'node',
    ok: tried.includes(process.versions.node.split('.')[0]),
    found: process.versions.node,
    remedy: 'install Node 20, 22 or 24',
  };
  const npm = await answerOf('npm', ['--version']).then(
    (found) => ({ part, name: 'npm', ok: true, found }),
    () => ({ part, name: 'npm', ok: false, found: 'does not run', remedy: 'install npm; it comes with Node' }),
  );
  const packages = ['@tensorflow/tfjs-node-gpu', 'danfojs-node', 'plotly.js-dist', 'tslab', 'typescript'];
  return [node, npm, ...packages.map((name) => packageFinding(part, name))];
}

function packageFinding(part: string, name: string): Finding {
  const file = join(projectRoot(), 'node_modules', name, 'package.json');
  if (!existsSync(file)) return { part, name, ok: false, found: 'not installed', remedy: SET_UP };
  try {
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    return { part, name, ok: true, found: version };
  } catch {
    return { part, name, ok: false, found: 'its package.json cannot be read', remedy: SET_UP };
  }
}

const KERNEL = 'attention-capacity';
const PYTHON_PACKAGES = ['jupyterlab', 'nbconvert', 'nbclient', 'nbformat', 'plotly'];

/** A script for the project's Python: versions, and whether Jupyter finds the kernel. */
const QUESTION = `
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
def installed(name):
    try: return version(name)
    except PackageNotFoundError: return None
def kernel(name):
    try: return KernelSpecManager().get_kernel_spec(name).display_name
    except NoSuchKernel: return None
name, *packages = sys.argv[1:]
print(json.dumps({"python": platform.python_version(), "kernel": kernel(name), "packages": {p: installed(p) for p in packages}}))
`;

interface Answer {
  readonly python: string;
  readonly kernel: string | null;
  readonly packages: Record<string, string | null>;
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
  try {
    const python = join(root, '.venv', 'bin', 'python');
    answer = JSON.parse(await answerOf(python, ['-c', QUESTION, KERNEL, ...PYTHON_PACKAGES], env)) as Answer;
  } catch {
    return [{ part, name: 'python', ok: false, found: 'the environment .venv is missing or broken', remedy: SET_UP }];
  }
  return [
    { part, name: 'python', ok: true, found: answer.python },
    ...PYTHON_PACKAGES.map((name) => ({
      part,
      name,
      ok: answer.packages[name] !== null,
      found: answer.packages[name] ?? 'not installed',
      remedy: SET_UP,
    })),
    {
      part,
      name: 'kernel',
      ok: answer.kernel !== null,
      found: answer.kernel ?? `Jupyter finds no kernel named ${KERNEL}`,
      remedy: `restore the folder jupyter/kernels/${KERNEL} of the checkout: git restore jupyter`,
    },
  ];
}
