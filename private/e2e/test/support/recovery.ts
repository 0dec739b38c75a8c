/** `kayactl recover --dry-run` as a process, and its report as a value. */

import type { RecoveredFile, RecoveryReport } from '@kayadb/engine';

import { runKayactl } from './processes.ts';

export interface DryRun {
  readonly exitCode: number | null;
  readonly report: RecoveryReport;
}

/** @throws Error when it prints no report. */
export async function dryRun(directory: string): Promise<DryRun> {
  const { exitCode, stdout, stderr } = await runKayactl(['--data', directory, 'recover', '--dry-run', '--json']);
  if (stdout === '') throw new Error(`recover ended with ${exitCode} and no report: ${stderr}`);
  return { exitCode, report: JSON.parse(stdout) as RecoveryReport };
}

/** @throws Error when the report does not mention the file. */
export function fileNamed(report: RecoveryReport, name: string): RecoveredFile {
  const file = report.files.find((each) => each.name === name);
  if (file === undefined) throw new Error(`the report does not mention ${name}`);
  return file;
}
