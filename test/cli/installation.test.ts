import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attentionCapacity, refusal } from './command';

test('doctor reports every part as JSON, and its exit status says whether all is well', async () => {
  const { status, stdout } = await attentionCapacity('doctor', '--json');
  const report = JSON.parse(stdout) as { healthy: boolean; findings: { name: string; ok: boolean; found: string }[] };
  assert.equal(status, report.healthy ? 0 : 1);
  assert.equal(
    report.healthy,
    report.findings.every(({ ok }) => ok),
  );
  const found = new Map(report.findings.map((finding) => [finding.name, finding]));
  for (const name of ['node', 'libtensorflow', 'device', 'backend float32', 'backend float64', 'free disk']) {
    assert.ok(found.has(name), `${name} among ${[...found.keys()].join(', ')}`);
  }
  assert.ok(found.get('backend float64')!.ok);
});

test('report names the notebooks there are when it is asked for another one', async () => {
  assert.match(
    await refusal('report', '12-nothing'),
    /report expects a notebook's file, or one of .*, got '12-nothing'/,
  );
});

test('report refuses a figure that it cannot write, in one sentence', async () => {
  assert.match(await refusal('report', '--figure', '01-assumptions/1'), /expected both --figure .* and --out /);
  assert.match(
    await refusal('report', '--figure', '01-assumptions/1', '--out', 'figure.gif'),
    /--out expects .* \.pdf, \.svg or \.png, got 'figure\.gif'/,
  );
});

test('help and version are no errors', async () => {
  const help = await attentionCapacity('--help');
  assert.equal(help.status, 0);
  for (const command of ['rank', 'features', 'memorize', 'capacity', 'sweep', 'report', 'doctor']) {
    assert.match(help.stdout, new RegExp(`^  ${command} `, 'm'));
  }
  const version = await attentionCapacity('--version');
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});
