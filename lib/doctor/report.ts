/** The findings of `attention-capacity doctor`, as data and as text. */

/** One thing that was checked. */
export interface Finding {
  /** The group it is shown in, e.g. `Node`. */
  readonly part: string;
  readonly name: string;
  readonly ok: boolean;
  /** A version, a size, or what is wrong. */
  readonly found: string;
  /** How to repair it, when it is not ok. */
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

/** One line per finding, in groups; a remedy follows on the next line. */
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
