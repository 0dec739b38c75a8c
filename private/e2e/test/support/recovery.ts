/** `kayactl recover --dry-run` as a process, and its report as a value: of a store, and of the directory of a node. */

import type { RecoveredFile, RecoveryReport } from '@kayadb/engine';
import type { NodeReport } from '@kayadb/server';

import { runKayactl } from './processes.ts';

export interface DryRun<Report = RecoveryReport> {
  readonly exitCode: number | null;
  readonly report: Report;
}

/** @throws Error when it prints no report. */
export function dryRun(directory: string): Promise<DryRun> {
  return readReport(directory);
}

/** The same of a node. @throws Error when it prints no report. */
export function dryRunNode(directory: string): Promise<DryRun<NodeReport>> {
  return readReport(directory);
}

/** @throws Error when the report does not mention the file. */
export function fileNamed(report: RecoveryReport, name: string): RecoveredFile {
  const file = report.files.find((each) => each.name === name);
  if (file === undefined) throw new Error(`the report does not mention ${name}`);
  return file;
}

async function readReport<Report>(directory: string): Promise<DryRun<Report>> {
  const { exitCode, stdout, stderr } = await runKayactl(['--data', directory, 'recover', '--dry-run', '--json']);
  if (stdout === '') throw new Error(`recover ended with ${exitCode} and no report: ${stderr}`);
  return { exitCode, report: JSON.parse(stdout) as Report };
}
