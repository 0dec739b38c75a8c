/** `kayactl inspect [KIND] PATH` */

import { basename, dirname, resolve } from 'node:path';

import type { FileInspection, InspectableKind, RecoveredFile } from '@kayadb/engine';
import { FileSystemError, isNotFound } from '@kayadb/vfs';
import type { Command } from 'commander';

import { usageError } from '../cli-error.ts';
import { describeError } from '../describe-error.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { describeInspection, type Inspection } from '../inspection-text.ts';
import { withinGrace } from '../interruption.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import {
  inspectFileOfNode,
  inspectMachine,
  inspectNodeFolder,
  MACHINE_KIND,
  NODE_KINDS,
} from '../node/inspect-node-parts.ts';
import { isNodeFolder } from '../node/node-folder.ts';
import { plainText } from '../plain-text.ts';
import { describeFiles } from '../recovery-text.ts';
import { shellWord } from '../shell-word.ts';
import { readReport, refuseServers } from './recover.ts';

interface InspectFlags {
  readonly showKeys?: boolean;
}

/** What the user calls it, and what the engine calls it. */
const KINDS: Readonly<Record<string, InspectableKind>> = {
  wal: 'wal',
  sstable: 'table',
  manifest: 'manifest',
  current: 'current',
  lock: 'lock',
  backup: 'backup',
  reserve: 'reserve',
};
const KIND_WORDS =
  'wal, sstable, manifest, current, lock, backup, reserve, node, raft-log, raft-state, raft-snapshot, transfer, progress or machine';

/** A file of each kind, in words. */
const NAMES: Readonly<Record<InspectableKind, string>> = {
  wal: 'a write-ahead log segment',
  table: 'an sstable',
  manifest: 'a manifest',
  current: 'a CURRENT',
  lock: 'a lock',
  backup: 'the list of a backup',
  reserve: 'the disk reserve',
};

export function addInspectCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('inspect')
    .summary('take one file of a store apart, or report on those of a folder')
    .description(
      'If PATH is a file: everything in it (records, edits, blocks, filter, properties, index, checksums), where it stands ' +
        'and whether it verifies, also behind damage and bad sectors; the file is judged by itself, so it may be a copy from ' +
        'anywhere, and its kind is found out unless it is given. If PATH is a folder: what recover --dry-run finds out about ' +
        'its files, or those of that kind; also if it is the folder of a node. "machine" and the folder of a node: members, sessions ' +
        'and who is gone. Nothing is changed. Status 3: corrupt, missing, or not to be read.',
    )
    .argument('<kind-or-path>', `${KIND_WORDS}; or the path alone`)
    .argument('[path]', 'a file, or the folder of a store')
    .option('--show-keys', 'show keys, in hexadecimal; values are never shown');
  examples(command, [
    'kayactl inspect ./data/000012.sst --show-keys',
    'kayactl inspect wal ./data',
    'kayactl inspect manifest ./data/MANIFEST-000002 --json',
    'kayactl inspect /mnt/backups/2026-11-22/BACKUP',
    'kayactl inspect raft-log ./node-1/groups/0/raft/000001.rlog --show-keys',
    'kayactl inspect machine ./node-1',
  ]);
  invocation.handle<InspectFlags>(command, async (context, words, flags) => {
    refuseServers(context);
    const { kind, path } = readWords(words);
    try {
      return await inspectPath(context, kind, path, flags.showKeys === true);
    } catch (error) {
      if (!(error instanceof FileSystemError) || context.io.signal.aborted) throw error;
      // Whatever could not be opened or read is not known to be in order.
      await context.output.flush();
      await context.output.error(describeError(error), context.globals.json);
      return EXIT.corruption;
    }
  });
}

/** @throws CliError KAYA_USAGE for a word that is no kind. */
function readWords([first = '', second]: readonly string[]): {
  readonly kind: string | undefined;
  readonly path: string;
} {
  if (second === undefined) return { kind: undefined, path: first };
  const ofNode: readonly string[] = [...NODE_KINDS, MACHINE_KIND];
  if (Object.hasOwn(KINDS, first) || ofNode.includes(first)) return { kind: first, path: second };
  throw usageError(`${first} is no kind of file`, `Give ${KIND_WORDS}, or the path alone.`);
}

async function inspectPath(
  context: CommandContext,
  kind: string | undefined,
  path: string,
  showKeys: boolean,
): Promise<ExitCode> {
  const { fileSystem } = context.io;
  if (kind === MACHINE_KIND) return inspectMachine(context, resolve(path));
  const stat = await fileSystem.stat(path);
  if (stat?.kind === 'directory') {
    if (await isNodeFolder(context, path)) return inspectNodeFolder(context, kind, resolve(path), showKeys);
    if (kind !== 'backup') return inspectFolder(context, kind, path, showKeys);
    return inspectPath(context, kind, `${path.replace(/\/+$/, '')}/BACKUP`, showKeys);
  }
  if (stat === undefined) throw noSuchFile(kind, path);
  if (stat.kind === 'other') {
    throw usageError(`${path} is neither a file nor a folder`, 'Name a file of a store, or its folder.');
  }
  const isOfNode = NODE_KINDS.some((each) => each === kind);
  if (isOfNode) {
    const exitCode = await inspectFileOfNode(context, kind, path, showKeys);
    if (exitCode !== undefined) return exitCode;
    throw usageError(
      `${path} is no ${kind}`,
      `Run "kayactl inspect ${shellWord(dirname(path))}" for the files that there are.`,
    );
  }
  const { inspectFile } = await import('@kayadb/engine');
  const work = inspectFile(fileSystem, path, kind === undefined ? undefined : KINDS[kind], { showKeys });
  const inspection = await withinGrace(work, 0, context.io).catch((error: unknown) => {
    throw isNotFound(error) ? noSuchFile(kind, path) : error;
  });
  if (inspection.kind === 'other' && inspection.found === null && kind === undefined) {
    const exitCode = await inspectFileOfNode(context, undefined, path, showKeys);
    if (exitCode !== undefined) return exitCode;
  }
  return printInspection(context, path, refuseStrange(inspection, kind, path));
}

async function inspectFolder(
  context: CommandContext,
  kind: string | undefined,
  path: string,
  showKeys: boolean,
): Promise<ExitCode> {
  const { output, globals } = context;
  const report = await readReport(context, path, showKeys);
  const files = kind === undefined ? report.files : report.files.filter((file) => file.kind === KINDS[kind]);
  if (globals.json) await output.json({ live: report.live, files });
  else if (files.length === 0) await output.line(plainText(`no ${kind ?? 'store'} file is in ${path}`));
  else await output.line(plainText([...files.flatMap(describeWrong), await describeFiles(files)].join('\n')));
  return files.some(isWrong) ? EXIT.corruption : EXIT.ok;
}

function isWrong({ state }: RecoveredFile): boolean {
  return state === 'corrupt' || state === 'missing' || state === 'unreadable';
}

function describeWrong(file: RecoveredFile): readonly string[] {
  if (file.state === 'unreadable') return [`UNREADABLE: ${file.name}: ${file.reason}`];
  return isWrong(file)
    ? file.damage.map(({ offset, reason }) => `DAMAGE: ${file.name} at offset ${offset}: ${reason}`)
    : [];
}

async function printInspection(context: CommandContext, path: string, inspection: Inspection): Promise<ExitCode> {
  const { output, globals } = context;
  if (globals.json) await output.json({ name: basename(path), ...inspection });
  else await output.line(plainText(await describeInspection(basename(path), inspection)));
  if (inspection.damage.length > 0 || inspection.unreadable.length > 0) return EXIT.corruption;
  return checksumOf(inspection) === 'unsupported' ? EXIT.invalidArgument : EXIT.ok;
}

function checksumOf(inspection: Inspection): string | undefined {
  if ('header' in inspection) return inspection.header.checksum;
  return 'checksum' in inspection ? inspection.checksum : undefined;
}

/** @throws CliError KAYA_USAGE for a file of another kind. */
function refuseStrange(inspection: FileInspection, kind: string | undefined, path: string): Inspection {
  if (inspection.kind !== 'other') return inspection;
  const { found } = inspection;
  const wanted = kind === undefined ? 'a file of a store' : NAMES[KINDS[kind]!];
  const actual = found === null ? '' : `; it opens as ${NAMES[found]} does`;
  throw usageError(
    `${path} is not ${wanted}${actual}`,
    found === null
      ? `Run "kayactl inspect ${shellWord(dirname(path))}" for the files that there are.`
      : `Run "kayactl inspect ${wordFor(found)} ${shellWord(path)}".`,
  );
}

function noSuchFile(kind: string | undefined, path: string): Error {
  return usageError(
    kind === undefined ? `there is no file ${path}` : `there is no ${kind} file ${path}`,
    `Run "kayactl inspect ${shellWord(dirname(path))}" for the files that there are.`,
  );
}

function wordFor(kind: InspectableKind): string {
  return kind === 'table' ? 'sstable' : kind;
}
