/** Whole directories as tests look at them. */

import { VirtualClock } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { fakeProcessWorld } from '@kayadb/vfs/testing';

import { inspectStore } from '../../src/recover/inspect-store.ts';
import type { RecoveryReport } from '../../src/recover/recovery-report.ts';

/** Name to content. */
export async function contentOf(fs: FileSystem, directory: string): Promise<Readonly<Record<string, string>>> {
  const content: Record<string, string> = {};
  for (const { name } of await fs.readDirectory(directory)) {
    content[name] = Buffer.from(await fs.readFile(`${directory}/${name}`)).toString('hex');
  }
  return content;
}

export async function namesIn(fs: FileSystem, directory: string): Promise<readonly string[]> {
  return (await fs.readDirectory(directory)).map(({ name }) => name);
}

export function reportOn(fs: FileSystem, directory: string): Promise<RecoveryReport> {
  return inspectStore(fs, directory, { processes: fakeProcessWorld().start(), clock: new VirtualClock() });
}

/** What matters of a store that must be whole: opening it loses nothing, and nothing in it is damaged. */
export async function describeStore(fs: FileSystem, directory: string): Promise<object> {
  const report = await reportOn(fs, directory);
  const { verdict, cleanClose, damage, lastSequence, lastLsn, durableIndex, rangeDeleteCount } = report;
  const { outcome, recordsReplayed, walTruncatedBytes } = report.opening;
  const tables = report.files
    .filter(({ kind, state }) => kind === 'table' && state === 'intact')
    .map(({ name }) => name);
  const opening = { outcome, recordsReplayed, walTruncatedBytes };
  return { verdict, cleanClose, damage, lastSequence, lastLsn, durableIndex, rangeDeleteCount, tables, opening };
}
