/**
 * The notebooks, linted like the rest: no outputs kept, cells formatted by Prettier, and every cell type-checked by the
 * converter that the kernel itself uses, cell after cell, against the built library.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../setup/places.mjs';

const require = createRequire(join(root, 'package.json'));

/** What is wrong with the notebooks, a line each; with `fix`, outputs are dropped and cells formatted first. */
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
      const stored = `${JSON.stringify(notebook, null, 1)}\n`;
      if (stored !== text) {
        if (fix) writeFileSync(join(folder, name), stored);
        else if (code.every(({ cell }) => isBare(cell)))
          problems.push(`notebooks/${name}: not stored the way Jupyter stores it (JSON indented by one space)`);
      }
      problems.push(...(await inFolder(folder, () => typeProblems(code, converter))));
    }
  } finally {
    converter.close();
  }
  return problems;
}

/** tslab finds packages from the folder it runs in. */
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

/** Outputs that were kept, and code that Prettier would write differently. */
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
  if (!isBare(cell)) problems.push(`${at}: its output is stored; notebooks are kept without`);
  if (sourceOf(cell) !== formatted) problems.push(`${at}: not formatted`);
  return problems;
}

/** What the kernel's TypeScript says of the first cell that it refuses; what follows would only miss that cell's names. */
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
