import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { examine, renderDoctorReport, type DoctorReport } from 'attention-capacity/doctor/index';
import { runNode, root, temporaryFolder } from './scripts';

test('the doctor finds every part of a finished installation in order', async () => {
  const report = await examine();
  const wrong = report.findings.filter(({ ok }) => !ok);
  assert.deepEqual(wrong, []);
  assert.ok(report.healthy);
  const names = report.findings.map(({ name }) => name);
  for (const name of [
    'node',
    'npm',
    'typescript',
    '@tensorflow/tfjs-node-gpu',
    'danfojs-node',
    'tslab',
    'plotly.js-dist',
    'libtensorflow',
    'device',
  ]) {
    assert.ok(names.includes(name), name);
  }
  for (const name of [
    'backend float32',
    'products in float32',
    'backend float64',
    'python',
    'jupyterlab',
    'kernel',
    'photographs',
    'CIFAR-10',
    'trained weights',
    'language model and vocabularies',
    'speeches',
    'free disk',
  ]) {
    assert.ok(names.includes(name), name);
  }
});

test('missing data are named with what to do, and the rest is still examined', async (t) => {
  const program =
    "require('attention-capacity/doctor/index').examine().then((report) => console.log(JSON.stringify(report)))";
  const { status, stdout, stderr } = await runNode(['--eval', program], { ATTENTION_CACHE: temporaryFolder(t) }, root);
  assert.equal(status, 0, stderr);
  const { healthy, findings } = JSON.parse(stdout) as DoctorReport;
  assert.equal(healthy, false);
  const wrong = findings.filter(({ ok }) => !ok);
  assert.deepEqual(
    wrong.map(({ name }) => name),
    ['photographs', 'CIFAR-10', 'trained weights', 'language model and vocabularies', 'speeches'],
  );
  assert.equal(wrong[0].found, '0 of 100 files; photos/astronaut.png is missing');
  assert.equal(wrong[0].remedy, 'npm run setup');
});

test('float32 products that round their factors as TensorFloat-32 does are found', async () => {
  const program = `
    const { tf } = require('attention-capacity/tensor/index');
    const exact = tf.getKernel('BatchMatMul', 'tensorflow').kernelFunc;
    // To 11 significant bits, to nearest (Veltkamp): what matrix units do with each factor.
    const rounded = (x) => tf.tidy(() => { const scaled = x.mul(2 ** 13 + 1); return scaled.sub(scaled.sub(x)); });
    tf.unregisterKernel('BatchMatMul', 'tensorflow');
    tf.registerKernel({
      kernelName: 'BatchMatMul',
      backendName: 'tensorflow',
      kernelFunc: (call) => exact({ ...call, inputs: { a: rounded(call.inputs.a), b: rounded(call.inputs.b) } }),
    });
    require('attention-capacity/doctor/index').examine().then((report) => console.log(JSON.stringify(report)));`;
  const { status, stdout, stderr } = await runNode(['--eval', program], {}, root);
  assert.equal(status, 0, stderr);
  const wrong = (JSON.parse(stdout) as DoctorReport).findings.filter(({ ok }) => !ok);
  assert.deepEqual(
    wrong.map(({ name, found }) => [name, found]),
    [['products in float32', 'lose digits: expected 262208, got 262144']],
  );
});

test('looking leaves the home folder as it was', async (t) => {
  const home = temporaryFolder(t);
  const program =
    "require('attention-capacity/doctor/index').examine().then(({ findings }) => console.log(findings.length))";
  const { status, stderr } = await runNode(['--eval', program], { HOME: home, npm_config_cache: temporaryFolder(t) });
  assert.equal(status, 0, stderr);
  assert.deepEqual(readdirSync(home), []);
});

test('the text says what is wrong in its place and how many problems there are', () => {
  const text = renderDoctorReport({
    healthy: false,
    findings: [
      { part: 'Node', name: 'node', ok: true, found: '20.19.0' },
      { part: 'Files', name: 'photographs', ok: false, found: '0 of 31 files', remedy: 'npm run setup' },
    ],
  });
  assert.equal(
    text,
    [
      'Node',
      '  ok       node         20.19.0',
      '',
      'Files',
      '  PROBLEM  photographs  0 of 31 files',
      '                        npm run setup',
      '',
      '1 problem.',
      '',
    ].join('\n'),
  );
});
