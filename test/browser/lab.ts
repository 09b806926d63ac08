/** What the tests of JupyterLab share; scripts/browser/jupyterlab.mjs drives it. */
import { readFileSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import { script } from '../setup/scripts';

/** A loaded machine is slow; nobody waits this long on an idle one. */
export const PATIENCE = { timeout: 180_000 };

/** What `startLab` gives. */
export interface Lab {
  readonly address: string;
  open(notebook: string): Promise<Page>;
  end(page: Page): Promise<void>;
  stop(): Promise<void>;
}

export interface Output {
  readonly output_type: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The code cells of a notebook file. */
export function cellsOf(path: string): { outputs: Output[]; execution_count: number | null }[] {
  const { cells } = JSON.parse(readFileSync(path, 'utf8'));
  return cells.filter((cell: { cell_type: string }) => cell.cell_type === 'code');
}

/** Where the first x axis of a plotly figure begins and ends. */
export function xRange(plot: Locator): Promise<[number, number]> {
  return plot.evaluate((drawing) => {
    const { xaxis } = (drawing as unknown as { _fullLayout: { xaxis: { range: [number, number] } } })._fullLayout;
    return [xaxis.range[0], xaxis.range[1]] as [number, number];
  });
}

/** Draws a rectangle inside of a figure's first panel with the pointer: plotly zooms into it. */
export async function dragAcross(page: Page, plot: Locator): Promise<void> {
  const panel = plot.locator('.nsewdrag').first();
  await panel.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await panel.boundingBox())!;
  await page.mouse.move(x + 0.3 * width, y + 0.2 * height);
  await page.mouse.down();
  await page.mouse.move(x + 0.5 * width, y + 0.6 * height, { steps: 4 });
  await page.mouse.move(x + 0.7 * width, y + 0.8 * height, { steps: 4 });
  await page.mouse.up();
}

const driver = () => script('browser/jupyterlab.mjs');

/** Starts JupyterLab on a folder of the checkout. */
export async function startLab(what: {
  browser: Browser;
  folder: string;
  environment?: Readonly<Record<string, string>>;
}): Promise<Lab> {
  return (await driver()).startLab(what) as Promise<Lab>;
}

/** Waits until a condition holds; what it throws counts as not yet. */
export async function until(condition: () => Promise<boolean>, milliseconds?: number): Promise<void> {
  await (await driver()).until(condition, milliseconds);
}

/** Chooses an item of JupyterLab's menu. */
export async function menu(page: Page, name: string, item: string): Promise<void> {
  await (await driver()).menu(page, name, item);
}

/** Waits until the kernel has nothing to do. */
export async function idle(page: Page, milliseconds?: number): Promise<void> {
  await (await driver()).idle(page, milliseconds);
}
