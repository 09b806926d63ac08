/** `attention-capacity doctor`: checks the installation, and says how to repair what is wrong. */
import { examineComputing } from './computing';
import { examineFiles } from './files';
import { examineNode, examineNotebooks } from './programs';
import { type DoctorReport, reportOf } from './report';

export { type DoctorReport, type Finding, renderDoctorReport } from './report';

/** Checks every part of the installation; a broken part is a finding, never an exception. */
export async function examine(): Promise<DoctorReport> {
  const parts = await Promise.all([examineNode(), examineComputing(), examineNotebooks(), examineFiles()]);
  return reportOf(parts.flat());
}
