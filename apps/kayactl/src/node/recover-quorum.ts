/** `kayactl recover quorum --describe`, `--plan` and `--apply`: the way out for a group whose majority is gone. runbooks/lost-quorum.md. */

import { resolve } from 'node:path';

import { decodeUtf8 } from '@kayadb/codec';
import type { QuorumPlan, QuorumSource } from '@kayadb/server';

import { withByteProgress } from '../byte-progress.ts';
import { CliError, usageError } from '../cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext } from '../invocation.ts';
import { plainText } from '../plain-text.ts';
import { resolvePath } from '../resolve-path.ts';
import { isNodeFolder, nodeOptions } from './node-folder.ts';
import { readNodeReport } from './node-forensics.ts';
import { nodeExitCode } from './node-report-text.ts';
import { describeFounding, describeQuorumPlan } from './quorum-text.ts';

export interface QuorumFlags {
  readonly describe?: boolean;
  readonly plan?: boolean;
  readonly apply?: boolean;
  readonly out?: string;
  readonly confirm?: string;
}

/** Bound: a file with a summary. */
const MAX_SUMMARY_BYTES = 4 * 1024 * 1024;

/** @throws CliError KAYA_USAGE for flags that do not fit; KAYA_QUORUM_REFUSED when it must not be done. */
export async function recoverQuorum(
  context: CommandContext,
  names: readonly string[],
  flags: QuorumFlags,
): Promise<ExitCode> {
  checkFlags(names, flags);
  if (flags.describe === true) return describe(context, names[0]!);
  // Known before everything is read, which may take an hour.
  const target = flags.apply === true ? await newFolder(context, flags.out ?? '', names) : undefined;
  const plan = await makePlan(context, names);
  if (target !== undefined) return apply(context, plan, target, flags.confirm);
  const { output, globals } = context;
  if (globals.json) await output.json(plan);
  else await output.line(plainText(await describeQuorumPlan(plan, names)));
  return plan.candidates.some(({ flaw }) => flaw === null) ? EXIT.ok : EXIT.corruption;
}

function checkFlags(
  names: readonly string[],
  { describe: isDescribe, plan, apply: isApply, out, confirm }: QuorumFlags,
): void {
  if ([isDescribe, plan, isApply].filter((form) => form === true).length !== 1) {
    throw usageError(
      'recover quorum needs one of --describe, --plan and --apply',
      'Begin with --plan: it changes nothing and says what can be done.',
    );
  }
  if (names.length === 0)
    throw usageError(
      'recover quorum needs the folders of the nodes',
      'Name all that are left, or files that --describe has made of them.',
    );
  if (isDescribe === true && names.length > 1)
    throw usageError('--describe takes one folder', 'Run it for each of them, and give the files to --plan.');
  if (isApply !== true && (out !== undefined || confirm !== undefined))
    throw usageError('--out and --confirm go with --apply', 'Give --apply, or leave them out.');
  if (isApply === true && (out === undefined || confirm === undefined)) {
    throw usageError(
      '--apply needs --out NEW-DIR and --confirm CLUSTER',
      'The plan names the cluster; the new folder must not exist, and the old ones are only read.',
    );
  }
}

async function describe(context: CommandContext, name: string): Promise<ExitCode> {
  const { summarizeNode } = await import('@kayadb/server');
  const directory = await requireNode(context, name);
  const report = await readNodeReport(context, directory);
  await context.output.json(summarizeNode(report));
  return nodeExitCode(report);
}

async function makePlan(context: CommandContext, names: readonly string[]): Promise<QuorumPlan> {
  const { planQuorum } = await import('@kayadb/server');
  const sources: QuorumSource[] = [];
  for (const name of names) sources.push(await readSource(context, name));
  try {
    return planQuorum(sources);
  } catch (error) {
    if (error instanceof RangeError) throw refused(error.message, 'Name folders of nodes of one cluster.');
    throw error;
  }
}

async function readSource(context: CommandContext, name: string): Promise<QuorumSource> {
  const { summarizeNode, parseNodeSummary } = await import('@kayadb/server');
  const { fileSystem } = context.io;
  const stat = await fileSystem.stat(name);
  if (stat?.kind !== 'file') {
    const directory = await requireNode(context, name);
    return { name, isDirectory: true, summary: summarizeNode(await readNodeReport(context, directory)) };
  }
  const summary =
    stat.bytes > MAX_SUMMARY_BYTES ? undefined : parseNodeSummary(decodeUtf8(await fileSystem.readFile(name)));
  if (summary !== undefined) return { name, isDirectory: false, summary };
  throw usageError(
    `${name} is no summary of a node`,
    'Make one with "kayactl recover quorum --describe DIR > FILE" where the folder is.',
  );
}

async function apply(
  context: CommandContext,
  plan: QuorumPlan,
  target: string,
  confirm: string | undefined,
): Promise<ExitCode> {
  const { foundCluster } = await import('@kayadb/server');
  const { io, output, globals } = context;
  const [best] = plan.candidates;
  if (plan.refusals.length > 0)
    throw refused(plan.refusals.join('; '), 'Nothing was changed. Look at "kayactl recover quorum --plan".');
  if (confirm !== plan.cluster) {
    throw usageError(
      `--confirm names another cluster than the folders: ${plan.cluster}`,
      'Give that id, if it is the cluster that is to be given up.',
    );
  }
  if (best === undefined || !best.isDirectory) {
    throw refused(
      `the best is node ${best?.node}, and ${best?.name} is a summary of its folder ${best?.directory}, not the folder`,
      `Bring the files of --describe to the machine where it lies, and run --apply there with the folder.`,
    );
  }
  const directory = resolve(best.name);
  const founded = await withByteProgress(context, (onProgress) =>
    foundCluster({ ...nodeOptions(context, onProgress), directory, target, randomBytes: io.randomBytes }),
  );
  if (globals.json) await output.json({ ok: true, ...founded, plan });
  else await output.line(plainText(describeFounding(founded, plan)));
  return EXIT.ok;
}

/** @throws CliError KAYA_USAGE; FileSystemError KAYA_FS_EXISTS. */
async function newFolder({ io }: CommandContext, out: string, names: readonly string[]): Promise<string> {
  const target = resolvePath(out, 'the new folder');
  for (const name of names) {
    if (`${target}/`.startsWith(`${resolve(name)}/`)) {
      throw usageError(`${out} lies in ${name}, which is only read`, 'Name a place outside of it.');
    }
  }
  const { refuseTakenFolder } = await import('@kayadb/server');
  await refuseTakenFolder(io.fileSystem, target);
  return target;
}

/** @throws CliError KAYA_USAGE */
async function requireNode(context: CommandContext, name: string): Promise<string> {
  const directory = resolvePath(name, 'the folder of a node');
  if (await isNodeFolder(context, directory)) return directory;
  throw usageError(`${name} is not the folder of a node`, 'Name a folder that was given to kayadb-server with --data.');
}

function refused(message: string, hint: string): CliError {
  return new CliError('KAYA_QUORUM_REFUSED', message, { hint });
}
