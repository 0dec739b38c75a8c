/** Waits until a node that was added is what it was added as. */

import type { Client } from '@kayadb/client';

import { CliError } from '../cli-error.ts';
import { groupedCountText } from '../count-text.ts';
import { EXIT } from '../exit-codes.ts';
import { interruptedError } from '../interruption.ts';
import type { CommandContext } from '../invocation.ts';
import { plainText } from '../plain-text.ts';
import { askMembers } from './ask-members.ts';
import { type MemberRow, readMembers } from './member-list.ts';
import { MovingLine } from './moving-line.ts';
import { commandFor } from './run-change.ts';

/** What a node is waited for to be: one that votes, or a learner that has the log. */
export type AwaitedState = 'voter' | 'learner';

const POLL_MS = 500;

/** A learner never has all of a log that grows; with so few entries missing it follows the leader. */
const CAUGHT_UP_ENTRIES = 1_000;

/**
 * @param limitMs - Infinity: whoever waits ends it by Ctrl-C.
 * @throws CliError KAYA_TIMEOUT when the limit is over; KAYA_INTERRUPTED; KAYA_MEMBERSHIP_REFUSED when the node is no member any more; ClientError when no node answers.
 */
export async function awaitMember(
  context: CommandContext,
  client: Client,
  node: number,
  awaited: AwaitedState,
  limitMs: number,
): Promise<MemberRow> {
  const { clock, signal } = context.io;
  const beganMs = clock.now();
  const line = new MovingLine(context);
  let wasSeen = false;
  try {
    for (;;) {
      const members = readMembers(await askMembers(context, client));
      const member = members.find((each) => each.node === node);
      // A node that does not lead may not know of it yet.
      const isCertain = members.some(({ isSelf, isLeader }) => isSelf && isLeader);
      if (member === undefined && wasSeen && isCertain) throw goneError(node);
      wasSeen ||= member !== undefined;
      if (member !== undefined && hasArrived(member, awaited)) return member;
      const wait = describeWait(node, member, awaited);
      if (clock.now() - beganMs >= limitMs) throw limitError(context, limitMs, wait);
      line.show(wait);
      await sleep(context, POLL_MS);
    }
  } catch (error) {
    throw signal.aborted ? interruptedError(signal, hintToWatch(context)) : error;
  } finally {
    line.clear();
  }
}

function hasArrived({ kind, lag, state, isAnswering }: MemberRow, awaited: AwaitedState): boolean {
  if (kind === 'voter') return true;
  if (awaited === 'voter') return false;
  const isFollowing = state === 'replicate' && lag !== undefined && lag <= CAUGHT_UP_ENTRIES;
  return kind === 'learner' && isAnswering === true && isFollowing;
}

function describeWait(node: number, member: MemberRow | undefined, awaited: AwaitedState): string {
  if (member === undefined) return `node ${node} is being added`;
  if (member.isAnswering === false) return `node ${node} does not answer yet; is it started with --join-cluster?`;
  const behind = member.lag === undefined ? '' : `, ${groupedCountText(member.lag, 'entry', 'entries')} behind`;
  const how = member.state?.startsWith('snapshot') === true ? `, ${member.state.replace(':', ' ')}` : behind;
  const isStuck = awaited === 'voter' && member.kind === 'learner' && !member.isToBePromoted;
  return `node ${node} is a ${member.kind}${how}${isStuck ? '; it stays one until "kayactl promote"' : ''}`;
}

function goneError(node: number): CliError {
  return new CliError('KAYA_MEMBERSHIP_REFUSED', `node ${node} is no member any more: it was removed meanwhile`, {
    hint: 'Look at "kayactl members", and add it again if that was not meant.',
    exitCode: EXIT.io,
  });
}

function limitError(context: CommandContext, limitMs: number, wait: string): CliError {
  return new CliError('KAYA_TIMEOUT', plainText(`after ${limitMs / 1_000} s ${wait}`), {
    hint: hintToWatch(context),
    exitCode: EXIT.io,
  });
}

function hintToWatch(context: CommandContext): string {
  return `The node was added, and the rest goes on all the same: watch it with "${commandFor(context, 'members')}", or take it back with remove-node.`;
}

/** Ends early when the user wants to stop. */
async function sleep({ io }: CommandContext, ms: number): Promise<void> {
  const { signal, clock } = io;
  await new Promise<void>((resolve) => {
    const handleAbort = (): void => {
      timer.cancel();
      resolve();
    };
    const timer = clock.setTimer(ms, () => {
      signal.removeEventListener('abort', handleAbort);
      resolve();
    });
    if (signal.aborted) handleAbort();
    else signal.addEventListener('abort', handleAbort);
  });
  signal.throwIfAborted();
}
