/** docs/extending.md, run as its reader runs it: each block a cell, in one kernel. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { KernelClient, type Execution } from '../notebooks/kernel-client';
import { root } from '../setup/scripts';

const page = readFileSync(join(root, 'docs', 'extending.md'), 'utf8');
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code.trimEnd());

describe('the worked examples', () => {
  let kernel: KernelClient;
  before(async () => {
    kernel = await KernelClient.start();
  });
  after(() => kernel.shutdown());

  async function run(block: number): Promise<Execution> {
    const done = await kernel.ended(await kernel.sendCell(blocks[block]), 5 * 60_000);
    assert.equal(done.reply.status, 'ok', `${done.reply.evalue}`);
    return done;
  }

  test('a layer: forty of sixty query vectors are independent in float64', async () => {
    assert.equal(blocks.length, 3, 'one block an example');
    const [{ data }] = (await run(0)).of('execute_result');
    assert.deepEqual(data, { 'text/plain': '1' });
  });

  test('a model: the four statements about its second layer', async () => {
    const [{ data }] = (await run(1)).of('display_data').slice(-1);
    const { rows } = data['application/vnd.attention-capacity.table+json'];
    assert.deepEqual(
      rows.map(({ system, statement, k }: Record<string, unknown>) => [system, statement, k]),
      [
        ['small-vit-layer-2', 'general-position', 48],
        ['small-vit-layer-2', 'A1', 17],
        ['small-vit-layer-2', 'A2', 17],
        ['small-vit-layer-2', 'A3', 17],
      ],
    );
    assert.ok(rows.every(({ fraction }: { fraction: number }) => fraction === 1));
  });

  test('a figure: drawn with its intervals and described', async () => {
    const [{ data }] = (await run(2)).of('display_data').slice(-1);
    assert.match(
      data['application/vnd.attention-capacity.figure+json'].alt,
      /^Share of independent subsets: 1 at k = 10,/,
    );
    const [trace] = data['application/vnd.plotly.v1+json'].data;
    assert.deepEqual(trace.x, [10, 20, 40, 60]);
    assert.equal(trace.error_y.array.length, 4);
  });
});
