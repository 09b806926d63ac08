/** README's table of marks says what its table of shares says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../setup/scripts';

/** The rows of the first table whose heading holds all these words. */
function tableWith(...words: string[]): string[][] {
  const lines = readFileSync(join(root, 'README.md'), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith('|') && words.every((word) => line.includes(word)));
  assert.ok(start >= 0, `a table with ${words.join(', ')}`);
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test('the marks at the top are those of the whole table', () => {
  const marks = tableWith('layer', 'general position', 'Assumption 3');
  const whole = tableWith('system', 'paper', 'float32', 'float64');
  assert.equal(whole.length, 4 * marks.length);
  const mark = (cell: string) => (cell === '' ? '–' : /refuted/.test(cell) ? `${cell[0]}\\*` : cell[0]);
  marks.forEach(([layer, ...cells], i) => {
    assert.equal(whole[4 * i][0], layer);
    cells.forEach((cell, j) => {
      const [, statement, paper, float32, float64] = whole[4 * i + j];
      assert.equal(cell, [paper, float32, float64].map(mark).join(' '), `${layer}, ${statement}`);
    });
  });
});
