/** What `attention-capacity doctor` found, as plain data, and the same as text. */

/** One thing that was looked at. */
export interface Finding {
  /** The group it is shown in, e.g. `programs`. */
  readonly part: string;
  readonly name: string;
  readonly ok: boolean;
  /** What was found: a version, a size, or what is wrong. */
  readonly found: string;
  /** What to do about it, when it is not ok. */
  readonly remedy?: string;
}

export interface DoctorReport {
  /** True when every finding is ok. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
}

export function reportOf(findings: readonly Finding[]): DoctorReport {
  return { healthy: findings.every(({ ok }) => ok), findings };
}

/** A line each, in groups; what to do stands below what is wrong. */
export function renderDoctorReport({ healthy, findings }: DoctorReport): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines: string[] = [];
  let group = '';
  for (const { part, name, ok, found, remedy } of findings) {
    if (part !== group) lines.push(...(group ? [''] : []), part);
    group = part;
    lines.push(`  ${ok ? 'ok     ' : 'PROBLEM'}  ${name.padEnd(width)}  ${found}`);
    if (!ok && remedy) lines.push(`${' '.repeat(width + 13)}${remedy}`);
  }
  const problems = findings.filter(({ ok }) => !ok).length;
  lines.push('', healthy ? 'Everything works.' : `${problems} ${problems === 1 ? 'problem' : 'problems'}.`);
  return `${lines.join('\n')}\n`;
}
