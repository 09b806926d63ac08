import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { root, temporaryFolder } from './scripts';

/** The files that set-up itself consists of, as a fresh clone has them. */
export function freshCheckout(t: TestContext): string {
  const checkout = join(temporaryFolder(t), 'checkout');
  const parts = ['scripts', 'shims', 'package.json', 'package-lock.json', '.npmrc', 'data/sources.json'];
  for (const part of [...parts, 'lib/package.json', 'lib/bin'])
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  return checkout;
}
