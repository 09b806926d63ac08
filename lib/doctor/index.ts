/** `attention-capacity doctor`: what is installed, what runs where, and what to do about what does not. */
import { examineComputing } from './computing';
import { examineFiles } from './files';
import { examineNode, examineNotebooks } from './programs';
import { type DoctorReport, reportOf } from './report';

export { type DoctorReport, type Finding, renderDoctorReport } from './report';

/** Looks at every part of the installation; never throws because one of them is broken. */
export async function examine(): Promise<DoctorReport> {
  const parts = await Promise.all([examineNode(), examineComputing(), examineNotebooks(), examineFiles()]);
  return reportOf(parts.flat());
}
