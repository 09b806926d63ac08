/** Symbols in plain sentences, set for pages and figures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeHtml, inHtml, inMarkdown, wrapped } from 'attention-capacity/report/symbols';

test('symbols are set, and words are not', () => {
  assert.equal(
    inHtml('σ_min/σ_max of k-subsets, k = n (d_h < d), rank of Z'),
    'σ<sub>min</sub>/σ<sub>max</sub> of <i>k</i>-subsets, <i>k</i> = <i>n</i> (<i>d<sub>h</sub></i> &lt; <i>d</i>), rank of <i>Z</i>',
  );
  assert.equal(inHtml('H(n − 1) + 1, else Hd'), '<i>H</i>(<i>n</i> − 1) + 1, else <i>Hd</i>');
  for (const words of ['ViT-S and ViT-B/16', 'a Hd-Video', 'and so on', 'file_name, x_d_h', 'k.npy', 'they’d', 'LN-d'])
    assert.equal(inHtml(words), words === 'a Hd-Video' ? 'a <i>Hd</i>-Video' : words);
  assert.equal(inHtml("<b> & don't"), '&lt;b&gt; &amp; don’t');
});

test('in Markdown code, formulas, links and tags stay as they are', () => {
  assert.equal(
    inMarkdown('k = n, $k = n$, `k = n`, [the k](k/n), <i k="n">, **σ_min/σ_max** and d_h.'),
    '$k$ = $n$, $k = n$, `k = n`, [the $k$](k/n), <i k="n">, **$\\sigma_{\\min}$/$\\sigma_{\\max}$** and $d_h$.',
  );
  assert.equal(inMarkdown('costs $5, k < n'), 'costs $5, $k$ < $n$');
});

test('lines break at blanks only, and tags take no room', () => {
  assert.deepEqual(wrapped('<i>k</i> = <i>n</i> and more', 5), ['<i>k</i> = <i>n</i>', 'and', 'more']);
  assert.deepEqual(wrapped('incomprehensible', 5), ['incomprehensible']);
});

test('html is escaped', () => {
  assert.equal(escapeHtml('<a href="x">'), '&lt;a href=&quot;x&quot;&gt;');
});
