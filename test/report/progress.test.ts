import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { logWatcher } from 'attention-capacity/report/progress';

/** What is written to standard error while `work` runs. */
function written(t: TestContext, work: () => void): string[] {
  const lines: string[] = [];
  const mock = t.mock.method(process.stderr, 'write', (text: string) => lines.push(text) > 0);
  work();
  mock.mock.restore();
  return lines;
}

test('a log gets one line per minute, about the piece of work that is under way', (t) => {
  let now = 0;
  const lines = written(t, () => {
    const watcher = logWatcher(() => now);
    const whole = watcher.begin('all layers', 4);
    const part = watcher.begin('ranks of 768-subsets', 5000);
    for (; now <= 150_000; now += 1000) part.update(now / 50);
    part.end();
    whole.end();
  });
  assert.deepEqual(lines, [
    'ranks of 768-subsets: 1200 of 5000, 3 min 10 s left\n',
    'ranks of 768-subsets: 2400 of 5000, 2 min 10 s left\n',
  ]);
});
