/** A change of the membership from the command line: asked for once, told with its arithmetic, refused with a sentence. */

import { ClientError, type JsonDocument, type MembershipOptions } from '@kayadb/client';

import { CliError } from '../cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext } from '../invocation.ts';
import { plainText } from '../plain-text.ts';
import { describePlan } from './change-text.ts';
import { numberOf, textOf } from './fields.ts';

/** What differs between the changes. */
export interface Change {
  readonly ask: (options: MembershipOptions) => Promise<JsonDocument>;
  readonly isDryRun: boolean;
}

/**
 * Prints what the change does, and what became of it. A dry run of what would be refused fails as the change itself would.
 *
 * @throws CliError KAYA_MEMBERSHIP_REFUSED; ClientError.
 */
export async function runChange(context: CommandContext, { ask, isDryRun }: Change): Promise<ExitCode> {
  const { output, globals, io } = context;
  const change = await askOrExplain(ask, isDryRun, io.signal);
  const refusal = textOf(change, 'refusal');
  if (globals.json) await output.json(change);
  else await output.line(plainText(await describeChange(change)));
  if (refusal === undefined) return EXIT.ok;
  throw new CliError('KAYA_MEMBERSHIP_REFUSED', refusal, {
    hint: isDryRun ? 'Nothing was changed, as --dry-run asks.' : 'Nothing was changed; do what the message says first.',
    exitCode: EXIT.io,
  });
}

/** A refusal has a sentence; a dry run of the same has the arithmetic behind it. */
async function askOrExplain(ask: Change['ask'], isDryRun: boolean, signal: AbortSignal): Promise<JsonDocument> {
  try {
    return await ask({ isDryRun, signal });
  } catch (error) {
    if (isDryRun || !(error instanceof ClientError) || error.code !== 'KAYA_MEMBERSHIP_REFUSED') throw error;
    const plan = await ask({ isDryRun: true, signal });
    // Things may have changed meanwhile; then the sentence stands alone.
    if (textOf(plan, 'refusal') === undefined) throw error;
    return plan;
  }
}

async function describeChange(change: JsonDocument): Promise<string> {
  const message = textOf(change, 'message');
  if (message !== undefined) return `OK ${message}`;
  const plan = await describePlan(change);
  const index = numberOf(change, 'proposed_at');
  return index === undefined ? plan : `${plan}\nOK done at index ${index}`;
}

/** How to ask the same servers something else, for hints. Tokens and TLS are left out: they are the reader's own. */
export function commandFor({ globals }: CommandContext, words: string): string {
  return `kayactl ${globals.servers.map((server) => `--server ${server} `).join('')}${words}`;
}

/** @throws CliError KAYA_USAGE without --server: a folder has no members. */
export function requireServers({ globals }: CommandContext, command: string): void {
  if (globals.servers.length > 0) return;
  throw new CliError('KAYA_USAGE', `${command} asks a server, and none is named`, {
    hint: 'Name a node of the cluster with --server HOST:PORT.',
  });
}
