/** What tables, figures and progress become, without a notebook and with one. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { DataFrame } from 'danfojs-node';
import type { Cell, Format } from 'attention-capacity/report/display';
import { figure, table } from 'attention-capacity/report/display';
import { duration, formatCell, formatNumber } from 'attention-capacity/report/format';
import { escapeHtml } from 'attention-capacity/report/html';
import { pageWatcher } from 'attention-capacity/report/progress';
import { headline, liveFigure, mimeBundle, mimeTypes, say, show } from 'attention-capacity/report/show';
import { tableText } from 'attention-capacity/report/text';

interface Sent {
  data: Record<string, unknown>;
  id?: string;
  update: boolean;
}

/** Stands in for tslab's module, as it is loaded in a kernel. */
function pretendNotebook(): Sent[] {
  const sent: Sent[] = [];
  const path = require.resolve('tslab/dist/jupyter.js');
  const lastWriteDisplayData = (
    message: { data: Sent['data']; transient: { display_id?: string } },
    update: boolean,
  ): void => void sent.push({ data: message.data, id: message.transient.display_id, update });
  require.cache[path] = { exports: { lastWriteDisplayData } } as NodeModule;
  return sent;
}
afterEach(() => {
  delete require.cache[require.resolve('tslab/dist/jupyter.js')];
});

const rows = [
  { layer: '<b>one</b>', k: 197, interval: [0.25, 0.5], holds: true },
  { layer: 'two & "three"', k: 12345, interval: null, holds: false },
];

describe('cells', () => {
  const cases: [Cell | undefined, Format | undefined, string][] = [
    [null, undefined, '–'],
    [undefined, 'integer', '–'],
    ['text', 'scientific', 'text'],
    [true, undefined, 'yes'],
    [false, undefined, 'no'],
    [197, undefined, '197'],
    [5000, undefined, '5000'],
    [12345, undefined, '12\u2009345'],
    [-1234567, 'integer', '−1\u2009234\u2009567'],
    [0.125, undefined, '0.125'],
    [-0.4176, undefined, '−0.418'],
    [3.14159265, undefined, '3.14'],
    [211.4, undefined, '211'],
    [1234.5, undefined, '1230'],
    [12345.6, undefined, '1.23 × 10⁴'],
    [3.2e9 + 0.5, undefined, '3.20 × 10⁹'],
    [-3e20, undefined, '−3.00 × 10²⁰'],
    [2 ** -23, undefined, '1.19 × 10⁻⁷'],
    [-(2 ** -23), 'scientific', '−1.2 × 10⁻⁷'],
    [12345, 'scientific', '1.2 × 10⁴'],
    [4.1, 'scientific', '4.1'],
    [0, 'scientific', '0'],
    [0.83157, 'percent', '83 %'],
    [0.00074, 'percent', '0.074 %'],
    [1e-9, 'percent', '1.0 × 10⁻⁷ %'],
    [4991 / 5000, 'percent', '99.82 %'],
    [1 - 1e-7, 'percent', '99.99999 %'],
    [1, 'percent', '100 %'],
    [0, 'percent', '0 %'],
    [NaN, undefined, 'NaN'],
    [-Infinity, 'fraction', '−∞'],
    [[0.9971, 1], 'fraction', '0.9971 to 1'],
    [[3, 1, 2], undefined, '3, 1, 2'],
    [7, (value) => `#${String(value)}`, '#7'],
  ];
  for (const [value, format, text] of cases) {
    test(`${JSON.stringify(value)} as ${String(format ?? 'it is')} is ${text}`, () => {
      assert.equal(formatCell(value, format), text);
    });
  }

  test('a fraction is written as 0 or 1 only when it is exactly that', () => {
    assert.equal(formatNumber(1, 'fraction'), '1');
    assert.equal(formatNumber(0, 'fraction'), '0');
    assert.equal(formatNumber(4991 / 5000, 'fraction'), '0.9982');
    assert.equal(formatNumber(1 - 1 / 100_000, 'fraction'), '0.99999');
    assert.equal(formatNumber(1 / 100_000, 'fraction'), '0.00001');
  });

  test('durations', () => {
    const said = [0.0421, 0.9999, 12.34, 59.97, 60, 250, 3599.6, 3600, 7500].map(duration);
    assert.deepEqual(said, ['0.042 s', '1 s', '12.3 s', '1 min', '1 min', '4 min 10 s', '1 h', '1 h', '2 h 5 min']);
  });
});

describe('tables', () => {
  test('a table is a danfo frame', () => {
    const { frame } = table('ranks', rows, ['layer', 'k']);
    assert.deepEqual(frame.columns, ['layer', 'k', 'interval', 'holds']);
    assert.deepEqual(frame.shape, [2, 4]);
    assert.deepEqual(frame.values[0], ['<b>one</b>', 197, [0.25, 0.5], true]);
    assert.deepEqual(table('empty', [], ['layer', 'k']).frame.shape, [0, 2]);
  });

  test('the page gets HTML in which cells are text, programs get all the rows', () => {
    const bundle = mimeBundle(
      table('ranks', rows, ['layer', { key: 'k', about: 'the "size"' }], { title: 'This & C', note: '<note>' }),
    );
    const html = String(bundle['text/html']);
    assert.match(html, /&lt;b&gt;one&lt;\/b&gt;/);
    assert.match(html, /two &amp; &quot;three&quot;/);
    assert.match(html, /title="the &quot;size&quot;"/);
    assert.match(html, /<strong>This &amp; C<\/strong>[\s\S]*&lt;note&gt;/);
    assert.doesNotMatch(html, /<b>|<note>|interval/);
    assert.deepEqual(bundle[mimeTypes.table], {
      name: 'ranks',
      title: 'This & C',
      columns: ['layer', 'k'],
      explained: [{ column: '<i>k</i>', about: 'the &quot;size&quot;' }],
      rows,
    });
  });

  test('rows with the same value of a column stand together below it', () => {
    const twice = [
      { layer: 'one', k: 1 },
      { layer: 'two', k: 2 },
      { layer: 'one', k: 3 },
    ];
    const bundle = mimeBundle(table('ranks', twice, ['layer', 'k'], { group: 'layer' }));
    const html = String(bundle['text/html']);
    assert.equal(html.match(/<tbody>/g)!.length, 2);
    assert.match(html, /one<\/span>[\s\S]*>1<[\s\S]*>3<[\s\S]*two<\/span>[\s\S]*>2</);
    assert.deepEqual(String(bundle['text/plain']).split('\n').slice(2), ['one    1', '       3', 'two    2']);
  });

  test('a danfo frame can be shown as it is', () => {
    const { frame } = table('ranks', rows);
    assert.match(String(mimeBundle(frame)['text/html']), /<td[^>]*>0\.25 to 0\.5<\/td>/);
  });

  describe('what danfo makes of a frame is shown', () => {
    const { frame } = table(
      'tests',
      ['b', 'a', 'b', 'a'].map((system, i) => ({
        system,
        precision: i < 2 ? 'float32' : 'float64',
        share: i / 4,
        row: i,
      })),
    );
    const isIn = (wanted: string) => (frame.column('precision').values as string[]).map((each) => each === wanted);
    const text = (what: Parameters<typeof mimeBundle>[0]) =>
      String(mimeBundle(what)['text/plain'])
        .split('\n')
        .filter((_, line) => line !== 1)
        .map((line) => line.trim().split(/\s{2,}/));
    const results: readonly [string, Parameters<typeof mimeBundle>[0], string[][]][] = [
      [
        'filtered, with fewer columns',
        frame.query(isIn('float64')).loc({ columns: ['system', 'share'] }),
        [
          ['system', 'share'],
          ['b', '0.5'],
          ['a', '0.75'],
        ],
      ],
      [
        'grouped',
        frame.groupby(['system']).col(['share']).max(),
        [
          ['system', 'share_max'],
          ['b', '0.5'],
          ['a', '0.75'],
        ],
      ],
      [
        'sorted',
        (frame.sortValues('share', { ascending: false }) as DataFrame).loc({ columns: ['share', 'row'] }),
        [
          ['share', 'row'],
          ['0.75', '3'],
          ['0.5', '2'],
          ['0.25', '1'],
          ['0', '0'],
        ],
      ],
      [
        'counted: labels that are words are a column',
        frame.column('system').valueCounts(),
        [
          ['row', '0'],
          ['b', '2'],
          ['a', '2'],
        ],
      ],
      ['a column', frame.column('row'), [['row'], ['0'], ['1'], ['2'], ['3']]],
    ];
    for (const [name, what, lines] of results) test(name, () => assert.deepEqual(text(what), lines));

    test('described: labels stand beside a column of the same name', () => {
      const [head, ...lines] = text(frame.loc({ columns: ['row'] }).describe() as DataFrame);
      assert.deepEqual(head, ['row', 'row']);
      assert.deepEqual(lines[0], ['count', '4']);
    });

    test('nothing left: the columns alone', () => {
      assert.match(String(mimeBundle(frame.query(isIn('float16')))['text/html']), /precision/);
    });
  });

  test('in a terminal columns stand side by side', () => {
    const text = tableText({ columns: [{ key: 'layer' }, { key: 'k' }], rows, title: 'Ranks', note: 'A note.' });
    assert.deepEqual(text.split('\n'), [
      'Ranks',
      '',
      'layer               k',
      '-------------  ------',
      '<b>one</b>        197',
      'two & "three"  12\u2009345',
      '',
      'A note.',
    ]);
  });

  test('a name that is no file name, a column that is no field, a figure without words are refused', () => {
    assert.throws(() => table('My Table', rows), /expected the name of a table .* got 'My Table'/);
    assert.throws(
      () => table('ranks', rows, ['layr']),
      /expected a column among layer, k, interval, holds, got 'layr'/,
    );
    assert.throws(
      () => figure({ name: 'f', title: 'F', alt: ' ', data: [], layout: {} }),
      /figure 'f': expected an alternative text/,
    );
  });

  test('html is escaped', () => {
    assert.equal(
      escapeHtml(`<a href="x" title='y'>&</a>`),
      '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;&lt;/a&gt;',
    );
  });
});

describe('show', () => {
  test('in a notebook each thing is one output with an id of its own', () => {
    const sent = pretendNotebook();
    const line = figure({
      name: 'line',
      title: 'A line',
      alt: 'It rises.',
      data: [{ type: 'scatter', y: [0, 1] }],
      layout: { height: 200 },
    });
    show(table('ranks', rows));
    show(line);
    say('**bold**');
    assert.equal(new Set(sent.map(({ id }) => id)).size, 3);
    assert.ok(sent.every(({ update, id }) => !update && id));
    const drawn = sent[1].data[mimeTypes.plotly] as { data: unknown; layout: Record<string, unknown> };
    assert.deepEqual(drawn.data, line.data);
    assert.equal(drawn.layout.height, 200);
    assert.equal((drawn.layout.title as { text: string }).text, 'A line');
    assert.ok(drawn.layout.template, 'the theme is applied');
    const { config } = sent[1].data[mimeTypes.plotly] as { config: Record<string, unknown> };
    assert.equal(config.showSendToCloud, false, 'no button sends it to a server');
    assert.equal(sent[1].data['text/plain'], 'A line: It rises.');
    assert.equal(sent[2].data['text/markdown'], '**bold**');
  });

  test('a figure carries its caption, set and broken into lines, and is higher for it', () => {
    const note = `The ratio σ_min/σ_max of d_h vectors, k = n${', and so on'.repeat(20)}.`;
    const parts = { name: 'line', title: 'Ranks of k-subsets', alt: 'It rises.', data: [], note };
    const bundle = mimeBundle(figure({ ...parts, layout: { height: 300, annotations: [{ text: 'own' }] } }));
    const { layout } = bundle[mimeTypes.plotly] as {
      layout: {
        height: number;
        margin: { b: number };
        meta: { caption: number };
        title: { text: string };
        annotations: { text: string; name?: string }[];
      };
    };
    assert.equal(layout.title.text, 'Ranks of <i>k</i>-subsets');
    const [own, caption] = layout.annotations;
    assert.equal(own.text, 'own');
    assert.equal(caption.name, 'caption');
    const lines = caption.text.split('<br>');
    assert.ok(lines.length >= 3 && lines.every((line) => line.replace(/<[^>]*>/g, '').length <= 100));
    assert.match(
      lines[0],
      /σ<sub>min<\/sub>\/σ<sub>max<\/sub> of <i>d<sub>h<\/sub><\/i> vectors, <i>k<\/i> = <i>n<\/i>/,
    );
    assert.equal(layout.height, 300 + layout.meta.caption);
    assert.ok(layout.meta.caption > 16 * lines.length && layout.margin.b > layout.meta.caption);
  });

  test('a live figure begins again in the same output, because plotly’s renderer for JupyterLab ignores updates', () => {
    const sent = pretendNotebook();
    const draw = liveFigure();
    const line = figure({ name: 'line', title: 'A line', alt: 'It rises.', data: [], layout: { height: 200 } });
    draw(line);
    draw(line);
    assert.equal(new Set(sent.map(({ id }) => id)).size, 1);
    assert.deepEqual(
      sent.map(({ data, update }) => [mimeTypes.plotly in data, update]),
      [
        [true, false],
        [false, true],
        [true, true],
      ],
    );
    assert.match(String(sent[1].data['text/html']), /height: 200px/, 'the page does not jump');
  });

  test('a headline is Markdown on the page and plain words elsewhere', () => {
    const sent = pretendNotebook();
    headline('**10 of 13** hold at `float32`, 2 * 3 * 4.');
    const text = '10 of 13 hold at float32, 2 * 3 * 4.';
    assert.deepEqual(sent[0].data[mimeTypes.headline], {
      text,
      markdown: '**10 of 13** hold at `float32`, 2 * 3 * 4.',
    });
    assert.equal(sent[0].data['text/plain'], text);
    headline('It rises.', 'line');
    assert.deepEqual(sent[1].data[mimeTypes.headline], { text: 'It rises.', markdown: 'It rises.', figure: 'line' });
  });

  test('a table knows how to show itself', () => {
    const shown = table('ranks', rows) as unknown as Record<symbol, () => Record<string, unknown>>;
    assert.ok(mimeTypes.table in shown[Symbol.for('Jupyter.display')]());
  });
});

describe('progress in a notebook', () => {
  test('short work is not shown; long work moves in place and ends empty', () => {
    const sent = pretendNotebook();
    let now = 0;
    const watcher = pageWatcher(() => now);
    const short = watcher.begin('short', 10);
    now = 300;
    short.update(9);
    short.end();
    assert.equal(sent.length, 0);

    const long = watcher.begin('<ranks>', 100);
    for (now = 400; now <= 2300; now += 100) long.update((now - 300) / 100);
    long.end();
    assert.ok(sent.length >= 5 && sent.length <= 12, `${sent.length} messages: neither still nor a flood`);
    assert.equal(new Set(sent.map(({ id }) => id)).size, 1);
    assert.deepEqual(
      sent.map(({ update }) => update),
      sent.map((_, i) => i > 0),
    );
    const [facts] = sent.at(-2)!.data[mimeTypes.progress] as { done: number; total: number; secondsLeft: number }[];
    assert.equal(facts.total, 100);
    assert.ok(Math.abs(facts.secondsLeft - (100 - facts.done) / 10) < 1e-9);
    assert.match(String(sent[0].data['text/html']), /aria-label="&lt;ranks&gt;"/);
    assert.deepEqual(sent.at(-1)!.data, { 'text/plain': '' });
  });

  test('work within work shares one output', () => {
    const sent = pretendNotebook();
    let now = 0;
    const watcher = pageWatcher(() => now);
    const outer = watcher.begin('outer', 2);
    now = 1000;
    outer.update(1);
    const inner = watcher.begin('inner', 5);
    now = 2000;
    inner.update(2);
    assert.deepEqual(String(sent.at(-1)!.data['text/plain']).split('\n').length, 2);
    inner.end();
    assert.match(String(sent.at(-1)!.data['text/plain']), /^outer: 1 of 2/);
    outer.end();
    assert.deepEqual(sent.at(-1)!.data, { 'text/plain': '' });
    assert.equal(new Set(sent.map(({ id }) => id)).size, 1);
  });
});
