/** The kernel's side of Jupyter's protocol: what JupyterLab, nbclient and nbconvert rely on, and stock tslab lacks. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { root, temporaryFolder } from '../setup/scripts';
import { type Execution, freePorts, KernelClient, launchKernel } from './kernel-client';

const plain = (lines: unknown) => stripVTControlCharacters((lines as string[]).join('\n'));

describe('the notebook kernel', () => {
  let kernel: KernelClient;
  before(async () => {
    kernel = await KernelClient.start();
  });
  after(async () => {
    assert.ok(await kernel.shutdown(), 'the kernel ends when it is asked to');
  });

  test('numbers its prompts and gives the value of the last line', async () => {
    const first = await kernel.execute('const half = 21;');
    const second = await kernel.execute('half * 2');
    const [count] = first.of('execute_input').map((input) => input.execution_count as number);
    assert.equal(first.of('execute_result').length, 0);
    assert.deepEqual(second.of('execute_input'), [{ code: 'half * 2', execution_count: count + 1 }]);
    assert.deepEqual(second.of('execute_result'), [
      { execution_count: count + 1, data: { 'text/plain': '42' }, metadata: {} },
    ]);
    assert.equal(second.reply.status, 'ok');
    assert.equal(second.reply.execution_count, count + 1);
  });

  test('the last status is busy as long as a cell runs or waits, whatever else is asked meanwhile', async () => {
    const pause = 'await new Promise((done) => setTimeout(done, 300));';
    const [first, second] = [await kernel.sendCell(pause), await kernel.sendCell(pause)];
    await kernel.ask('complete_request', { code: 'cons', cursor_pos: 4 });
    await kernel.ended(first);
    const statuses = () => kernel.all().filter(({ type }) => type === 'status');
    const state = () => statuses().at(-1)!.content.execution_state as string;
    await new Promise((done) => setTimeout(done, 50));
    assert.equal(state(), 'busy', 'the second cell runs');
    const asked = statuses().length;
    await kernel.ask('complete_request', { code: 'cons', cursor_pos: 4 });
    await new Promise((done) => setTimeout(done, 50));
    assert.ok(statuses().length > asked);
    assert.equal(state(), 'busy', 'a completion has ended, the cell has not');
    await kernel.ended(second);
    assert.equal(state(), 'idle');
  });

  test('a silent request shows nothing and takes no number', async () => {
    const before = await kernel.execute('1');
    const silent = await kernel.execute('2', { silent: true });
    const after = await kernel.execute('3');
    assert.deepEqual(
      silent.published.map(({ type }) => type),
      ['status', 'status'],
    );
    assert.equal(after.reply.execution_count, before.reply.execution_count + 1);
  });

  test('what is written comes as streams, with its characters whole', async () => {
    const said = await kernel.execute(
      "const [first, ...rest] = Buffer.from('é');\n" +
        'process.stdout.write(Buffer.from([first])); process.stdout.write(Buffer.from(rest));\n' +
        "console.error('to the other stream');",
    );
    const text = (name: string) =>
      said
        .of('stream')
        .filter((each) => each.name === name)
        .map((each) => each.text as string);
    assert.equal(text('stdout').join(''), 'é');
    assert.equal(text('stderr').join(''), 'to the other stream\n');
  });

  test('thousands of messages in one turn of the event loop all arrive', async () => {
    const said = await kernel.execute('for (let i = 0; i < 3000; i++) console.log(i);');
    assert.equal(said.reply.status, 'ok');
    const lines = said.of('stream').map(({ text }) => text as string);
    assert.deepEqual(lines.join('').trim().split('\n').map(Number), [...Array(3000).keys()]);
    assert.ok(lines.length < 300, `gathered in ${lines.length} messages`);
  });

  test('thousands of lines on both streams in turn are few messages', async () => {
    const said = await kernel.execute(
      "for (let i = 0; i < 3000; i++) (i % 2 ? console.error : console.log)(i);\n'end'",
    );
    assert.ok(said.of('stream').length < 300, `${said.of('stream').length} messages`);
    for (const [name, rest] of [
      ['stdout', 0],
      ['stderr', 1],
    ] as const) {
      const text = said.of('stream').flatMap((piece) => (piece.name === name ? [String(piece.text)] : []));
      assert.deepEqual(
        text.join('').trim().split('\n').map(Number),
        Array.from({ length: 1500 }, (_, i) => 2 * i + rest),
      );
    }
    assert.equal(said.of('execute_result').length, 1);
  });

  test('what is printed keeps its place among results, figures and the other stream', async () => {
    const said = await kernel.execute(
      'console.log(1); console.log(2); console.error(3); console.log(4);\n' +
        "require('tslab').display.text('5'); console.log(6);\n7",
    );
    const order: [string, string][] = [];
    for (const { type, content } of said.published) {
      if (!/^(stream|display_data|execute_result)$/.test(type)) continue;
      const text = String(content.text ?? (content.data as Record<string, string>)['text/plain']);
      const kind = type === 'stream' ? String(content.name) : type;
      // One stream's text may come in several messages.
      if (kind === order.at(-1)?.[0]) order.at(-1)![1] += text;
      else order.push([kind, text]);
    }
    assert.deepEqual(order, [
      ['stdout', '1\n2\n'],
      ['stderr', '3\n'],
      ['stdout', '4\n'],
      ['display_data', '5'],
      ['stdout', '6\n'],
      ['execute_result', '7'],
    ]);
  });

  test("an error names the cell's lines, where it was thrown and from where it was called", async () => {
    const cell = [
      'interface Point { x: number }',
      '',
      'function fails(point: Point): number {',
      '',
      '  throw new RangeError(`x is ${point.x}`);',
      '}',
      'fails({ x: 1 });',
    ];
    const failed = await kernel.execute(cell.join('\n'));
    const [error] = failed.of('error');
    assert.equal(error.ename, 'RangeError');
    assert.equal(error.evalue, 'x is 1');
    const n = failed.reply.execution_count as number;
    assert.match(
      plain(error.traceback),
      new RegExp(
        `^RangeError: x is 1\\n +at In \\[${n}\\], line 5\\n +5 \\|   throw new .*\\n +\\^\\n +at In \\[${n}\\], line 7$`,
      ),
    );
    assert.equal(failed.reply.status, 'error');
    assert.equal(failed.reply.ename, 'RangeError');
    const later = await kernel.execute('const caller = () => fails({ x: 2 });\nawait Promise.resolve();\ncaller();');
    const places = [...plain(later.of('error')[0].traceback).matchAll(/In \[(\d+)\], line (\d+)/g)].map((match) => [
      +match[1],
      +match[2],
    ]);
    assert.deepEqual(places, [
      [n, 5],
      [n + 1, 1],
      [n + 1, 3],
    ]);
  });

  test('an error of the library names its TypeScript file and line', async () => {
    const failed = await kernel.execute(
      "import { table } from 'attention-capacity/report/display';\n\ntable('No Name', []);",
    );
    assert.match(
      plain(failed.of('error')[0].traceback),
      /at table \(lib\/report\/display\.ts:\d+:\d+\)\n +at In \[\d+\], line 3\n/,
    );
  });

  test('type errors are errors, with the line', async () => {
    const failed = await kernel.execute("const right = 1;\nconst wrong: string = 2;\nconst alsoWrong: boolean = '';");
    const [error, ...more] = failed.of('error');
    assert.equal(more.length, 0);
    assert.equal(error.ename, 'TypeScript');
    assert.match(
      plain(error.traceback),
      /'number' is not assignable to type 'string'. \(line 2\)\n +2 \| const wrong: string = 2;\n +\^/,
    );
    assert.match(plain(error.traceback), /'string' is not assignable to type 'boolean'. \(line 3\)/);
    assert.equal(failed.reply.status, 'error');
  });

  test('thrown things that are no errors, causes and several errors at once', async () => {
    assert.equal((await kernel.execute("throw 'a text';")).of('error')[0].evalue, 'a text');
    const caused = await kernel.execute("throw new Error('outer', { cause: new TypeError('inner') });");
    assert.match(plain(caused.of('error')[0].traceback), /^Error: outer\n[\s\S]*caused by TypeError: inner\n/);
    const several = await kernel.execute(
      "await Promise.any([Promise.reject(new Error('one')), Promise.reject(new Error('two'))]);",
    );
    assert.match(plain(several.of('error')[0].traceback), /Error: one\n[\s\S]*Error: two/);
  });

  test('a rejection that nobody awaits fails the cell', async () => {
    const failed = await kernel.execute("void Promise.reject(new Error('not awaited'));\n'the last line'");
    assert.equal(failed.of('error')[0].evalue, 'not awaited');
    assert.equal(failed.reply.status, 'error');
    const callback = await kernel.execute(
      "setTimeout(() => { throw new Error('in a callback'); }, 1);\nawait new Promise((done) => setTimeout(done, 50));",
    );
    assert.equal(callback.reply.evalue, 'in a callback');
  });

  test('a rejection after the end of its cell fails the next one', async () => {
    const first = await kernel.execute(
      "void new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 30));",
    );
    assert.equal(first.reply.status, 'ok');
    await new Promise((done) => setTimeout(done, 200));
    const next = await kernel.execute('1 + 1');
    assert.equal(next.reply.status, 'error');
    assert.equal(next.of('error')[0].evalue, 'late');
    assert.equal(next.of('execute_result').length, 1, 'the cell itself ran');
  });

  test('after an error, waiting cells are dropped, or all run when errors are allowed', async () => {
    const run = async (stopOnError: boolean): Promise<Execution[]> => {
      const cells = ["throw new Error('first');", "'second'", "'third'"];
      const ids = [];
      for (const cell of cells) ids.push(await kernel.sendCell(cell, { stopOnError }));
      return Promise.all(ids.map((id) => kernel.ended(id)));
    };
    assert.deepEqual(
      (await run(true)).map(({ reply }) => reply.status),
      ['error', 'aborted', 'aborted'],
    );
    assert.deepEqual(
      (await run(false)).map(({ reply }) => reply.status),
      ['error', 'ok', 'ok'],
    );
    assert.equal((await kernel.execute('4')).reply.status, 'ok', 'a cell sent after the error runs');
  });

  test('what a failed cell had computed is kept', async () => {
    await kernel.execute("const computed = 7;\nthrow new Error('after it');");
    assert.deepEqual((await kernel.execute('computed')).of('execute_result')[0].data, { 'text/plain': '7' });
  });

  test('an interrupt stops work at its next step, keeps what there is, and the kernel goes on', async () => {
    const id = await kernel.sendCell(
      [
        "import { begin } from 'attention-capacity/work';",
        'let steps = 0;',
        'async function work() {',
        "  const work = begin('counting', 1e6);",
        '  try {',
        '    while (true) {',
        '      for (const until = Date.now() + 20; Date.now() < until; );',
        '      await work.advance(++steps);',
        '    }',
        '  } finally {',
        '    work.end();',
        '  }',
        '}',
        "console.log('begun');",
        'await work();',
      ].join('\n'),
    );
    await kernel.published(({ type, parent }) => type === 'stream' && parent === id);
    await new Promise((done) => setTimeout(done, 300));
    const asked = Date.now();
    kernel.interrupt();
    const stopped = await kernel.ended(id);
    assert.ok(Date.now() - asked < 2000, `it took ${Date.now() - asked} ms`);
    assert.equal(stopped.reply.ename, 'Interrupted');
    assert.match(stopped.reply.evalue as string, /counting, \d+ of 1000000 done/);
    const later = await kernel.execute(
      'const then = steps;\nawait new Promise((done) => setTimeout(done, 200));\n[then > 0, then === steps]',
    );
    assert.deepEqual(later.of('execute_result')[0].data, { 'text/plain': '[ true, true ]' }, 'nothing runs on behind');
  });

  test("an interrupt stops the library's own long work within two seconds, and what was computed before is kept", async () => {
    await kernel.execute(
      [
        "import { memorize, testKruskalRank } from 'attention-capacity';",
        "import { randomSource } from 'attention-capacity/tensor';",
        'const random = randomSource(0);',
        'const features = { data: Float64Array.from({ length: 400 * 192 }, () => random.normal()), shape: [400, 192] as const };',
        "const layer = { heads: 4, context: 16, headSize: 16, examples: 400, contexts: 'random' as const };",
      ].join('\n'),
    );
    for (const work of [
      "testKruskalRank(features, { k: 192, draws: 1e6, seed: 0, rtol: 'float64' })",
      "memorize({ ...layer, task: 'regression', steps: 1e6, seed: 0 })",
    ]) {
      const id = await kernel.sendCell(`const kept = '${work.slice(0, 8)}';\nawait ${work};`);
      await kernel.published(({ type, parent }) => type === 'display_data' && parent === id);
      const asked = Date.now();
      kernel.interrupt();
      assert.equal((await kernel.ended(id)).reply.ename, 'Interrupted', work);
      assert.ok(Date.now() - asked < 2000, `${work}: it took ${Date.now() - asked} ms`);
      assert.equal((await kernel.execute('kept')).of('execute_result')[0].data['text/plain'], `'${work.slice(0, 8)}'`);
    }
  });

  test('an interrupt ends cells that do not listen: waiting ones and endless loops', async () => {
    for (const cell of [
      "console.log('begun');\nawait new Promise(() => {});",
      "console.log('begun');\nwhile (true);",
    ]) {
      const id = await kernel.sendCell(cell);
      await kernel.published(({ type, parent }) => type === 'execute_input' && parent === id);
      await new Promise((done) => setTimeout(done, 500));
      const asked = Date.now();
      kernel.interrupt();
      assert.equal((await kernel.ended(id)).reply.ename, 'Interrupted', cell);
      assert.ok(Date.now() - asked < 2000, `it took ${Date.now() - asked} ms`);
    }
    kernel.interrupt();
    assert.equal((await kernel.execute("'still here'")).reply.status, 'ok', 'an interrupt between cells does no harm');
  });

  test('completes and explains names of the library', async () => {
    const code = "import { table } from 'attention-capacity/report/display';\ntab";
    const completed = await kernel.ask('complete_request', { code, cursor_pos: code.length });
    assert.ok((completed.matches as string[]).includes('table'));
    const asked = code.replace(/tab$/, 'table');
    const explained = await kernel.ask('inspect_request', {
      code: asked,
      cursor_pos: asked.length - 2,
      detail_level: 0,
    });
    assert.equal(explained.found, true);
    assert.match(explained.data['text/plain'] as string, /Makes a table of `rows`/);
  });

  test('documentation has the words of its links, without their syntax', async () => {
    for (const [name, says] of [
      ['figure', /see Figure for the fields/],
      ['selfShowing', /by the convention of Deno/],
    ] as const) {
      const code = `import { ${name} } from 'attention-capacity/report/${name === 'figure' ? 'display' : 'show'}';\n${name}`;
      const explained = await kernel.ask('inspect_request', { code, cursor_pos: code.length - 2, detail_level: 0 });
      assert.match(explained.data['text/plain'] as string, says);
      assert.doesNotMatch(explained.data['text/plain'] as string, /\{@/);
    }
    const code = '/** See {@link half} and {@linkcode half}. */\nconst linked = 1;\nlinked';
    const explained = await kernel.ask('inspect_request', { code, cursor_pos: code.length - 2, detail_level: 0 });
    assert.match(explained.data['text/plain'] as string, /See half and half\./);
  });

  test('says of its language what the notebooks store, so that opening one changes nothing', async () => {
    const { language_info: said } = await kernel.ask('kernel_info_request', {});
    for (const name of readdirSync(join(root, 'notebooks')).filter((file) => file.endsWith('.ipynb'))) {
      const { metadata } = JSON.parse(readFileSync(join(root, 'notebooks', name), 'utf8'));
      assert.deepEqual(metadata.language_info, said, name);
    }
  });

  test('shows tables and figures in every form a page may want', async () => {
    const shown = await kernel.execute(
      "import { figure, show, table } from 'attention-capacity/report/index';\n" +
        "show(table('ranks', [{ layer: '<i>', k: 197 }]));\n" +
        "figure({ name: 'line', title: 'A line', alt: 'It rises.', data: [{ type: 'scatter', x: [0, 1], y: [0, 1] }], layout: {} })",
    );
    const [table] = shown.of('display_data');
    assert.deepEqual(table.data['application/vnd.attention-capacity.table+json'].rows, [{ layer: '<i>', k: 197 }]);
    assert.match(table.data['text/html'] as string, /&lt;i&gt;/);
    assert.match(table.data['text/plain'] as string, /layer +k/);
    const [figure] = shown.of('execute_result');
    assert.deepEqual(Object.keys(figure.data).sort(), [
      'application/vnd.attention-capacity.figure+json',
      'application/vnd.plotly.v1+json',
      'text/html',
      'text/plain',
    ]);
  });

  test('progress moves in place and ends empty', async () => {
    const worked = await kernel.execute(
      "import { begin } from 'attention-capacity/work';\nimport 'attention-capacity/report/index';\n" +
        "const work = begin('counting', 10);\n" +
        'for (let done = 1; done <= 10; done++) { await new Promise((next) => setTimeout(next, 120)); await work.advance(done); }\n' +
        'work.end();',
    );
    const [first, ...others] = worked.of('display_data');
    assert.equal(others.length, 0);
    const updates = worked.of('update_display_data');
    assert.ok(updates.length >= 2);
    const id = first.transient.display_id as string;
    assert.ok(id && updates.every(({ transient }) => transient.display_id === id));
    assert.match(first.data['text/plain'] as string, /^counting: \d+ of 10, .* left$/);
    assert.deepEqual(updates.at(-1)!.data, { 'text/plain': '' });
  });
});

/** A copy of what a kernel loads, which a test may change: other kernels run on the original meanwhile. */
function copyOfTheProject(t: TestContext): string {
  const copy = temporaryFolder(t);
  for (const part of ['jupyter', 'lib/package.json', 'lib/dist', 'lib/node_modules']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  for (const folder of ['notebooks', 'node_modules']) mkdirSync(join(copy, folder));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== 'attention-capacity') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  symlinkSync(join('..', 'lib'), join(copy, 'node_modules', 'attention-capacity'));
  return copy;
}

test('a rebuilt library does not change a running kernel, which reports it once', async (t) => {
  const copy = copyOfTheProject(t);
  const kernel = await KernelClient.start(copy);
  t.after(() => kernel.shutdown());
  const dist = join(copy, 'lib', 'dist');
  const build = join(dist, 'tsconfig.tsbuildinfo');
  const declarations = ['format.d.ts', 'display.d.ts'].map((name) => join(dist, 'report', name));
  const { mtime } = statSync(build);
  const used = await kernel.execute(
    "import { formatNumber } from 'attention-capacity/report/format';\n" +
      "[formatNumber(1), require.resolve('attention-capacity')]",
  );
  assert.ok(`${used.of('execute_result')[0]?.data['text/plain']}`.includes(copy), 'it has loaded the copy');
  // What a clean build does to what the compiler has read: files go and come again.
  for (const file of declarations) renameSync(file, `${file}.away`);
  await new Promise((done) => setTimeout(done, 600));
  for (const file of declarations) renameSync(`${file}.away`, file);
  utimesSync(build, new Date(), new Date(mtime.getTime() + 1000));
  await new Promise((done) => setTimeout(done, 600));
  const [first, second] = [await kernel.execute('formatNumber(2)'), await kernel.execute('formatNumber(3)')];
  assert.deepEqual([first.reply.status, second.reply.status], ['ok', 'ok'], `${first.reply.evalue}`);
  assert.match(first.of('stream')[0].text as string, /rebuilt\. .* restart it/);
  assert.equal(second.of('stream').length, 0);
});

/** A program that has a port and speaks to nobody. */
async function occupy(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return server;
}

test('a kernel waits for a port that another program uses for a while', async (t) => {
  const ports = await freePorts();
  const other = await occupy(ports[2]);
  setTimeout(() => other.close(), 3000);
  const kernel = await KernelClient.start(root, ports);
  t.after(() => kernel.shutdown());
  assert.equal((await kernel.execute('6 * 7')).of('execute_result')[0].data['text/plain'], '42');
});

test('if a port stays in use the kernel ends, so that Jupyter restarts it', async (t) => {
  const ports = await freePorts();
  const other = await occupy(ports[1]);
  const { child, folder } = launchKernel(ports);
  t.after(() => {
    child.kill('SIGKILL');
    other.close();
    rmSync(folder, { recursive: true, force: true });
  });
  assert.deepEqual(await once(child, 'exit'), [1, null]);
});
