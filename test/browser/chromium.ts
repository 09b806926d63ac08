import type { Browser } from 'playwright-core';
import { script } from '../setup/scripts';

/** Starts the browser of the project's scripts. The caller closes it. */
export async function launchChromium(): Promise<Browser> {
  const { launchChromium: launch } = await script('browser/chromium.mjs');
  return launch() as Promise<Browser>;
}
