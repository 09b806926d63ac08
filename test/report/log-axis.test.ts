/** Where values and zeros stand on a logarithmic axis. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logAxis, stripShape } from 'attention-capacity/report/log-axis';

const ticksOf = ({ axis }: ReturnType<typeof logAxis>) => axis.ticktext as string[];
const rangeOf = ({ axis }: ReturnType<typeof logAxis>) => axis.range as [number, number];

test('without zeros there is no strip, and every value is within the range', () => {
  const axis = logAxis([1e-9, 0.5]);
  assert.equal(axis.strip, null);
  const [from, to] = rangeOf(axis);
  assert.ok(from < -9 && to > Math.log10(0.5));
  assert.ok(!ticksOf(axis).includes('0'));
  assert.equal(axis.place(1e-9), 1e-9);
});

test('zeros stand in a strip beyond the smallest value, and are called 0', () => {
  const axis = logAxis([0, 1e-9, 1e-3], { shown: [1e-16] });
  const [from, to] = axis.strip!;
  assert.ok(from < axis.place(0) && axis.place(0) < to && to < 1e-16, 'below what is shown too');
  assert.ok(Math.abs(Math.log10(from) - rangeOf(axis)[0]) < 1e-9, 'at the edge');
  assert.equal(ticksOf(axis)[0], '0');
  assert.equal((axis.axis.tickvals as number[])[0], axis.place(0));
  assert.ok(ticksOf(axis).length <= 11);
});

test('what is rounding can count as zero; nothing but zeros is an axis too', () => {
  const axis = logAxis([1e-17, 0.1], { zero: 1e-15 });
  assert.equal(axis.place(1e-17), axis.place(0));
  assert.ok(axis.strip![1] < 0.1);
  assert.equal(ticksOf(logAxis([0]))[0], '0');
  assert.throws(() => logAxis([-1]), /not negative, got -1/);
});

test('the strip crosses a whole panel', () => {
  assert.deepEqual([stripShape([1, 2], 'x').yref, stripShape([1, 2], 'y', 2).xref], ['y domain', 'x3 domain']);
});
