/**
 * Lints the notebooks: no stored outputs, cells formatted by Prettier, and every cell type-checked against the built library,
 * in order, by the converter that the kernel uses.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../setup/places.mjs';

const require = createRequire(join(root, 'package.json'));

/** The problems of the notebooks, one per line; with `fix`, outputs are dropped and cells formatted first. */
export async function notebookProblems(fix = false, folder = join(root, 'notebooks')) {
  const problems = [];
  const converter = await inFolder(folder, () => require('tslab/dist/converter').createConverter());
  try {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.ipynb'))) {
      const text = readFileSync(join(folder, name), 'utf8');
      const notebook = JSON.parse(text);
      const code = notebook.cells
        .map((cell, index) => ({ cell, at: `notebooks/${name}, cell ${index + 1}` }))
        .filter(({ cell }) => cell.cell_type === 'code');
      for (const { cell, at } of code) problems.push(...(await shapeProblems(cell, at, fix)));
      const stored = `${JSON.stringify(sorted(notebook), null, 1)}\n`;
      if (stored !== text) {
        if (fix) writeFileSync(join(folder, name), stored);
        else if (code.every(({ cell }) => isBare(cell)))
          problems.push(
            `notebooks/${name}: not stored the way Jupyter stores it (JSON indented by one space, keys in order)`,
          );
      }
      problems.push(...(await inFolder(folder, () => typeProblems(code, converter))));
    }
  } finally {
    converter.close();
  }
  return problems;
}

/** The same, with the keys of every object in order, as nbformat stores them. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

/** tslab looks for packages from its working folder. */
async function inFolder(folder, work) {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

const sourceOf = (cell) => [cell.source].flat().join('');
const isBare = (cell) => cell.outputs.length === 0 && cell.execution_count === null;

/** Stored outputs, and code that Prettier would format differently. */
async function shapeProblems(cell, at, fix) {
  const prettier = await import('prettier');
  const options = { ...(await prettier.resolveConfig(join(root, 'cell.ts'))), parser: 'typescript' };
  let formatted;
  try {
    formatted = (await prettier.format(sourceOf(cell), options)).trimEnd();
  } catch (error) {
    return [`${at}: ${error.message.split('\n')[0]}`];
  }
  if (fix) {
    Object.assign(cell, { outputs: [], execution_count: null, source: formatted.split(/(?<=\n)/) });
    return [];
  }
  const problems = [];
  if (!isBare(cell)) problems.push(`${at}: its output is stored; notebooks are committed without outputs`);
  if (sourceOf(cell) !== formatted) problems.push(`${at}: not formatted`);
  return problems;
}

/** The type errors of the first cell that has any; later cells would only miss its names. */
function typeProblems(code, converter) {
  let declared = '';
  for (const { cell, at } of code) {
    const { diagnostics, declOutput } = converter.convert(declared, sourceOf(cell));
    const problems = diagnostics.map(
      ({ start, messageText, code: number }) => `${at}, line ${start.line + 1}: ${messageText} (TS${number})`,
    );
    if (problems.length > 0) return problems;
    declared = declOutput ?? declared;
  }
  return [];
}
