import { readFileSync } from 'node:fs';
import { InputError } from '../../input-error';
import { memorizationConfig, referenceSteps, type MemorizationConfig, type MemorizationOptions } from '../config';

/** One training of a sweep. */
export interface SweepRun {
  /** Panel and setting, unique in the sweep, fit for a path: `heads-random/H20-n32-r64-T10000-s0`. */
  readonly id: string;
  /** The panel of the figure that it belongs to. */
  readonly panel: string;
  readonly config: MemorizationConfig;
}

/** A combination of a grid that makes no sense, such as 0 heads, and why. */
export interface RefusedRun {
  /** As {@link SweepRun.id}. */
  readonly run: string;
  readonly reason: string;
}

/** What a sweep file asks for. */
export interface SweepPlan {
  readonly name: string;
  readonly runs: readonly SweepRun[];
  /** Combinations that cannot be run; the rest of the sweep runs without them. */
  readonly refused: readonly RefusedRun[];
}

type Fields = Readonly<Record<string, unknown>>;

const sweepKeys = ['name', 'about', 'seeds', 'profile', 'grids'];
const recipeKeys = ['steps', 'passes', 'minSteps', 'batch', 'learningRate', 'evaluateEvery', 'earlyStop', 'stopAtLoss'];
const profileKeys = ['width', 'classes', 'embedding', 'precision', ...recipeKeys];
const gridKeys = ['panel', 'task', 'contexts', 'heads', 'context', 'headSize', 'examples', ...profileKeys];

/**
 * Reads a sweep file. `seeds` is a list; `profile` says how to train (any of width, classes, embedding, precision, batch,
 * learningRate, evaluateEvery, earlyStop, stopAtLoss, and either steps or passes and minSteps; the reference's defaults);
 * each of `grids` is a panel: task, contexts, and heads, context, headSize, examples, each a number or a list, of which
 * every combination is trained. A grid may override the profile. Combinations that make no sense are listed as refused.
 *
 * @throws InputError naming the file, and the key or run, for anything unknown or missing, and where no run makes sense.
 */
export function readSweep(file: string): SweepPlan {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new InputError(`'${file}': expected a JSON file such as workflow/quick.json, got none that can be read.`);
  }
  try {
    return planSweep(JSON.parse(text) as unknown);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InputError(`'${file}': expected JSON, got a syntax error: ${error.message}.`);
    if (error instanceof InputError) throw new InputError(`'${file}': ${error.message}`);
    throw error;
  }
}

/** The runs of a sweep that was read from JSON; see {@link readSweep}. */
export function planSweep(value: unknown): SweepPlan {
  const sweep = fields('the sweep', value, sweepKeys);
  const name = slug('name', sweep.name);
  const seeds = list('seeds', sweep.seeds);
  const profile = fields('profile', sweep.profile ?? {}, profileKeys);
  const all = list('grids', sweep.grids).flatMap((grid, index) =>
    gridRuns(fields(`grids[${index}]`, grid, gridKeys), `grids[${index}]`, profile, seeds),
  );
  const ids = new Set<string>();
  for (const one of all) {
    const id = 'reason' in one ? one.run : one.id;
    if (ids.has(id)) throw new InputError(`expected each run once, got ${id} twice; give its panels different names.`);
    ids.add(id);
  }
  const runs = all.filter((one) => !('reason' in one)) as SweepRun[];
  const refused = all.filter((one) => 'reason' in one) as RefusedRun[];
  if (runs.length === 0) throw new InputError(`${refused[0].run}: ${refused[0].reason}`);
  return { name, runs, refused };
}

function gridRuns(grid: Fields, where: string, profile: Fields, seeds: readonly unknown[]): (SweepRun | RefusedRun)[] {
  const panel = slug(`${where}.panel`, grid.panel);
  const axis = (key: string) => {
    if (grid[key] === undefined && key !== 'headSize')
      throw new InputError(`${where} (${panel}): expected ${key}, got none.`);
    return Array.isArray(grid[key]) ? list(`${where}.${key}`, grid[key]) : [grid[key]];
  };
  const { passes, minSteps, ...recipe } = { ...withoutLength(profile, grid), ...grid } as Fields & {
    passes?: number;
    minSteps?: number;
  };
  checkLength(recipe as MemorizationOptions, `${where} (${panel})`, passes, minSteps);
  const runs: (SweepRun | RefusedRun)[] = [];
  for (const heads of axis('heads')) {
    for (const context of axis('context')) {
      for (const headSize of axis('headSize')) {
        for (const examples of axis('examples')) {
          for (const seed of seeds) {
            const options = { ...recipe, heads, context, headSize, examples, seed } as unknown as MemorizationOptions;
            runs.push(checkedRun(panel, options, passes, minSteps));
          }
        }
      }
    }
  }
  return runs;
}

/** The profile, without its number of steps where the grid has its own. */
function withoutLength(profile: Fields, grid: Fields): Fields {
  const lengths = ['steps', 'passes', 'minSteps'];
  if (!lengths.some((key) => grid[key] !== undefined)) return profile;
  return Object.fromEntries(Object.entries(profile).filter(([key]) => !lengths.includes(key)));
}

function checkLength(recipe: MemorizationOptions, where: string, passes?: number, minSteps?: number): void {
  if (recipe.steps !== undefined && (passes !== undefined || minSteps !== undefined)) {
    throw new InputError(`${where}: expected either steps or passes and minSteps, got both.`);
  }
  for (const [key, value] of Object.entries({ passes, minSteps })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
      throw new InputError(`${where}: ${key}: expected a whole number of at least 0, got ${JSON.stringify(value)}.`);
    }
  }
}

function checkedRun(
  panel: string,
  options: MemorizationOptions,
  passes?: number,
  minSteps?: number,
): SweepRun | RefusedRun {
  try {
    const batch = options.batch ?? 256;
    const steps = options.steps ?? referenceSteps(options.examples, batch, passes, minSteps);
    const config = memorizationConfig({ ...options, steps });
    return { id: runId(panel, config), panel, config };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { headSize = options.width ?? 64, seed = 0 } = options;
    return { run: runId(panel, { ...options, headSize, seed }), reason: error.message };
  }
}

type Named = Pick<MemorizationConfig, 'heads' | 'context' | 'headSize' | 'examples' | 'seed'>;

function runId(panel: string, { heads, context, headSize, examples, seed }: Named): string {
  return `${panel}/H${heads}-n${context}-r${headSize}-T${examples}-s${seed}`;
}

function fields(where: string, value: unknown, keys: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${where}: expected an object with ${keys.join(', ')}, got ${shown(value)}.`);
  }
  const unknownKey = Object.keys(value).find((key) => !keys.includes(key));
  if (unknownKey !== undefined) {
    throw new InputError(`${where}: expected ${keys.join(', ')}, got the key '${unknownKey}'.`);
  }
  return value as Fields;
}

function list(where: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value as unknown[];
  throw new InputError(`${where}: expected a list of at least one, got ${shown(value)}.`);
}

function slug(where: string, value: unknown): string {
  if (typeof value === 'string' && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value)) return value;
  throw new InputError(`${where}: expected lower-case words joined by hyphens, got ${shown(value)}.`);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
