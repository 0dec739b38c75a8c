/** `kayactl recover --dry-run`, `--plan` and `--salvage` */

import { dirname, resolve, sep } from 'node:path';

import type { RecoveryReport, SalvagePolicy } from '@kayadb/engine';
import type { LogShare } from '@kayadb/server';
import { FileSystemError } from '@kayadb/vfs';
import { type Command, Option } from 'commander';

import { withByteProgress } from '../byte-progress.ts';
import { CliError, usageError } from '../cli-error.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { withinGrace } from '../interruption.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { writeNewFile } from '../new-file.ts';
import { isNodeFolder } from '../node/node-folder.ts';
import { dryRunNode, planNode, salvageNodeFolder } from '../node/node-forensics.ts';
import { type QuorumFlags, recoverQuorum } from '../node/recover-quorum.ts';
import { plainText } from '../plain-text.ts';
import { describeReport, exitCodeOf } from '../recovery-text.ts';
import { renderPlanPage } from '../recovery/plan-page.ts';
import { describePlan } from '../recovery/plan-text.ts';
import { checkCommand, describeSalvage } from '../recovery/salvage-text.ts';
import { resolvePath } from '../resolve-path.ts';

interface RecoverFlags extends QuorumFlags {
  readonly dryRun?: boolean;
  readonly salvage?: boolean;
  readonly html?: string;
  readonly policy?: SalvagePolicy;
  readonly log?: LogShare;
  readonly showKeys?: boolean;
}

export function addRecoverCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('recover')
    .summary('report on a damaged folder, plan the ways out, salvage what is good')
    .description(
      'Reads everything in the folder that --data names, and changes nothing in it: it takes no lock and works beside a running ' +
        'server. --dry-run reports on every file and on what opening would do. --plan names the ways out, best first, each with ' +
        'what it keeps and loses. --salvage writes what is good into a new folder. Give one of the three. Status of --dry-run ' +
        'and --plan 0: opening would lose nothing but a torn tail; 3: something is corrupt. Status of --salvage 0: the new ' +
        'folder is complete. The folder of a node is told from that of a store. "recover quorum" is for a group whose majority is ' +
        'gone: it compares the folders that are left of its nodes, and makes a new cluster of the best of them.',
    )
    .argument('[quorum]', 'the word "quorum", for a group whose majority is gone')
    .argument('[sources...]', 'with quorum: folders of its nodes, or files that --describe has made of them')
    .option('--dry-run', 'report on every file, and on what opening the store would do')
    .option('--plan', 'name the ways out, best first, with what each would lose')
    .option('--salvage', 'write what is good into the new folder that --out names')
    .option('--describe', 'with quorum: print what a plan needs to know of one folder, as JSON')
    .option('--apply', 'with quorum: make a cluster of the best folder, in the new folder that --out names')
    .option('--confirm <cluster>', 'with quorum --apply: the id of the cluster that is given up')
    .option('--html <file>', 'with --plan: write the plan as a page with a picture, into a new file')
    .option('--out <dir>', 'with --salvage or --apply: the new folder')
    .addOption(
      new Option(
        '--policy <policy>',
        'with --salvage: only what is provably good, or the newest of each key that can be found (default: provable)',
      ).choices(['provable', 'newest-found']),
    )
    .addOption(
      new Option(
        '--log <share>',
        'with --salvage, of a node: which entries of its log are applied to the rows of its store (default: committed)',
      ).choices(['none', 'committed', 'all']),
    )
    .option('--show-keys', 'show keys, in hexadecimal');
  examples(command, [
    'kayactl --data /evidence/data recover --dry-run',
    'kayactl --data ./data recover --dry-run --json > report.json',
    'kayactl --data ./data recover --plan --html plan.html',
    'kayactl --data ./data recover --salvage --out ./salvaged',
    'kayactl recover quorum --describe /srv/kaya/node-2 > node-2.json',
    'kayactl recover quorum --plan /srv/kaya/node-1 node-2.json',
  ]);
  invocation.handle<RecoverFlags>(command, async (context, [word, ...sources], flags) => {
    refuseServers(context);
    if (word === 'quorum') return recoverQuorum(context, sources, checkQuorumFlags(flags));
    if (word !== undefined)
      throw usageError(`${word} is nothing that recover knows`, 'Name the folder with --data DIR.');
    checkFlags(flags);
    if (flags.plan === true) return makePlan(context, flags);
    return flags.salvage === true ? salvage(context, flags) : dryRun(context, flags);
  });
}

/** @throws CliError KAYA_USAGE unless exactly one form is asked for, with the flags that belong to it. */
function checkFlags({
  dryRun: isDryRun,
  plan,
  salvage: isSalvage,
  html,
  out,
  policy,
  log,
  ...quorum
}: RecoverFlags): void {
  if ([quorum.describe, quorum.apply, quorum.confirm].some((flag) => flag !== undefined)) {
    throw usageError('--describe, --apply and --confirm go with quorum', 'Write "kayactl recover quorum ...".');
  }
  const forms = [isDryRun, plan, isSalvage].filter((form) => form === true).length;
  if (forms !== 1) {
    throw usageError(
      forms === 0
        ? 'recover needs --dry-run, --plan or --salvage'
        : 'recover takes one of --dry-run, --plan and --salvage',
      'Begin with --plan: it changes nothing and says what can be done.',
    );
  }
  if (html !== undefined && plan !== true) throw usageError('--html goes with --plan', 'Give --plan as well.');
  if (isSalvage === true && out === undefined) {
    throw usageError('--salvage needs --out DIR', 'Name a folder that does not exist yet; the old one is only read.');
  }
  if (isSalvage !== true && [out, policy, log].some((flag) => flag !== undefined)) {
    throw usageError('--out, --policy and --log go with --salvage', 'Give --salvage, or leave them out.');
  }
}

/** @throws CliError KAYA_USAGE for flags of the other forms. */
function checkQuorumFlags(flags: RecoverFlags): QuorumFlags {
  const { dryRun: isDryRun, salvage: isSalvage, html, policy, log } = flags;
  if ([isDryRun, isSalvage, html, policy, log].some((flag) => flag !== undefined)) {
    throw usageError('recover quorum takes --describe, --plan or --apply', 'Leave the other flags out.');
  }
  return flags;
}

async function dryRun(context: CommandContext, { showKeys }: RecoverFlags): Promise<ExitCode> {
  const directory = resolve(context.globals.data);
  if (await isNodeFolder(context, directory)) return dryRunNode(context, directory, showKeys === true);
  const report = await readReport(context, context.globals.data, showKeys === true);
  if (context.globals.json) await context.output.json(report);
  else await context.output.line(plainText(await describeReport(report)));
  return exitCodeOf(report);
}

async function makePlan(context: CommandContext, { showKeys, html }: RecoverFlags): Promise<ExitCode> {
  const { io, output, globals } = context;
  const { fileSystem, processes, clock, signal } = io;
  const directory = resolve(globals.data);
  if (await isNodeFolder(context, directory)) {
    if (html !== undefined)
      throw usageError('--html is for stores', 'Leave it out: the plan of a node is a few sentences.');
    return planNode(context, directory, showKeys === true);
  }
  const page = html === undefined ? undefined : await newPath(context, html, 'the file of the page');
  // Known before everything is read, which may take an hour.
  if (page !== undefined) await fileSystem.readDirectory(dirname(page));
  const { planRecovery } = await import('@kayadb/engine');
  const plan = await withByteProgress(context, (onProgress) =>
    planRecovery(fileSystem, directory, { processes, clock, signal, onProgress, showKeys: showKeys === true }),
  );
  if (page !== undefined) await writeNewFile(fileSystem, page, renderPlanPage(plan));
  if (globals.json) await output.json(plan);
  else await output.line(plainText(await describePlan(plan)));
  if (page !== undefined) await output.note(`The page is ${page}.`);
  return exitCodeOf(plan.report);
}

async function salvage(context: CommandContext, { showKeys, out = '', policy, log }: RecoverFlags): Promise<ExitCode> {
  const { io, output, globals } = context;
  const { fileSystem, processes, clock, signal } = io;
  const directory = resolve(globals.data);
  const target = await newPath(context, out, 'the folder of the salvage');
  if (await isNodeFolder(context, directory)) {
    const share = { log: log ?? 'committed', policy: policy ?? 'provable' } as const;
    return salvageNodeFolder(context, directory, target, { ...share, showKeys: showKeys === true });
  }
  if (log !== undefined)
    throw usageError('--log is for the folder of a node', 'Leave it out: a store has its log in it.');
  const { salvageStore } = await import('@kayadb/engine');
  const report = await withByteProgress(context, (onProgress) =>
    salvageStore(fileSystem, directory, target, {
      policy: policy ?? 'provable',
      processes,
      clock,
      signal,
      onProgress,
      showKeys: showKeys === true,
    }),
  );
  if (globals.json) await output.json({ ok: true, ...report, check: checkCommand(report) });
  else await output.line(plainText(await describeSalvage(report)));
  return EXIT.ok;
}

/**
 * A path at which nothing is yet, and not in the folder that is only read.
 *
 * @throws CliError KAYA_USAGE; FileSystemError KAYA_FS_EXISTS.
 */
async function newPath({ io, globals }: CommandContext, path: string, what: string): Promise<string> {
  const resolved = resolvePath(path, what);
  if (`${resolved}${sep}`.startsWith(`${resolve(globals.data)}${sep}`)) {
    throw usageError(`${what} lies in ${globals.data}, which is only read`, 'Name a place outside of it.');
  }
  if ((await io.fileSystem.stat(resolved)) === undefined) return resolved;
  throw new FileSystemError('EEXIST', 'create', resolved);
}

/** @throws CliError KAYA_LOCAL_ONLY with --server; FileSystemError when the folder cannot be listed. */
export async function readReport(
  context: CommandContext,
  directory: string,
  showKeys: boolean,
): Promise<RecoveryReport> {
  refuseServers(context);
  const { fileSystem, processes, clock } = context.io;
  const { inspectStore } = await import('@kayadb/engine');
  // It holds nothing and changes nothing, so it may be left at any moment.
  return await withinGrace(inspectStore(fileSystem, resolve(directory), { processes, clock, showKeys }), 0, context.io);
}

/** @throws CliError KAYA_LOCAL_ONLY with --server. */
export function refuseServers({ globals }: CommandContext): void {
  if (globals.servers.length === 0) return;
  throw new CliError('KAYA_LOCAL_ONLY', 'this command reads the files of a folder; a server cannot be asked for it', {
    hint: 'Leave --server out and run it on the machine that holds the folder; it is safe beside a running server.',
  });
}
