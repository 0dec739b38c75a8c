/** The tree of commands and flags. Each command lives in its own file under commands/. */

import { Command } from 'commander';

import { addAddNodeCommand } from './commands/add-node.ts';
import { addBackupCommand } from './commands/backup.ts';
import { addCheckpointCommand } from './commands/checkpoint.ts';
import { addCompactCommand } from './commands/compact.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addDeleteCommand } from './commands/delete.ts';
import { addExportCommand } from './commands/export.ts';
import { addFirewallCommand } from './commands/firewall.ts';
import { addFlushCommand } from './commands/flush.ts';
import { addGetCommand } from './commands/get.ts';
import { addHealthCommand } from './commands/health.ts';
import { addImportCommand } from './commands/import.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addMembersCommand } from './commands/members.ts';
import { addPromoteCommand } from './commands/promote.ts';
import { addPutCommand } from './commands/put.ts';
import { addRecoverCommand } from './commands/recover.ts';
import { addRemoveNodeCommand } from './commands/remove-node.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addScanCommand } from './commands/scan.ts';
import { addStatsCommand } from './commands/stats.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTopCommand } from './commands/top.ts';
import { addTransferLeaderCommand } from './commands/transfer-leader.ts';
import { addUnlockCommand } from './commands/unlock.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { examples } from './examples.ts';
import { addGlobalOptions } from './global-options.ts';
import type { Invocation } from './invocation.ts';
import { VERSION } from './version.ts';

/** Longer lines are hard to read, however wide the terminal is. */
const MAX_HELP_COLUMNS = 100;

/** Builds a fresh program for one run. Complaints come out as CommanderError; nothing exits the process. */
export function buildProgram(invocation: Invocation): Command {
  const program = new Command('kayactl')
    .description(
      'Reads, writes, moves and examines the data of KayaDB, in a folder (--data) or on a server (--server).',
    )
    .version(`kayactl ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpCommand(
      new Command('help').argument('[command]').description('print help for a command').helpGroup('Shell:'),
    )
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void invocation.io.stdout.write(text),
      getOutHelpWidth: () => Math.min(invocation.io.stdout.columns ?? MAX_HELP_COLUMNS, MAX_HELP_COLUMNS),
      // Errors are printed once, in the form that was asked for, by runKayactl.
      writeErr: () => {},
      outputError: () => {},
    });
  addGlobalOptions(program);

  program.commandsGroup('Data:');
  addPutCommand(program, invocation);
  addGetCommand(program, invocation);
  addDeleteCommand(program, invocation);
  addScanCommand(program, invocation);
  addImportCommand(program, invocation);
  addExportCommand(program, invocation);
  program.commandsGroup('Operation:');
  addHealthCommand(program, invocation);
  addStatusCommand(program, invocation);
  addTopCommand(program, invocation);
  addStatsCommand(program, invocation);
  addFlushCommand(program, invocation);
  addCompactCommand(program, invocation);
  addUnlockCommand(program, invocation);
  program.commandsGroup('Membership:');
  addMembersCommand(program, invocation);
  addAddNodeCommand(program, invocation);
  addPromoteCommand(program, invocation);
  addRemoveNodeCommand(program, invocation);
  addTransferLeaderCommand(program, invocation);
  addFirewallCommand(program, invocation);
  program.commandsGroup('Copies:');
  addBackupCommand(program, invocation);
  addRestoreCommand(program, invocation);
  addCheckpointCommand(program, invocation);
  program.commandsGroup('Forensics:');
  addVerifyCommand(program, invocation);
  addRecoverCommand(program, invocation);
  addInspectCommand(program, invocation);
  program.commandsGroup('Shell:');
  addCompletionCommand(program);

  return examples(program, [
    'kayactl put greeting hello',
    'kayactl --server 127.0.0.1:7379 get greeting',
    'kayactl --server 127.0.0.1:7379 import packages.jsonl.gz',
    'kayactl --data ./data scan deb/zsh --limit 10',
  ]);
}
