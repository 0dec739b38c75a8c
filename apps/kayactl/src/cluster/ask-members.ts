/** MEMBERS of the node that knows most: the leader, who alone hears from the others. */

import type { Client, JsonDocument } from '@kayadb/client';
import { KayaError } from '@kayadb/codec';

import type { CommandContext } from '../invocation.ts';
import { connectServers } from '../store/connect-servers.ts';
import { useAndClose } from '../store/use-and-close.ts';
import { textOf } from './fields.ts';
import { readMembers } from './member-list.ts';

/**
 * @param client - Of the servers of the command line.
 * @returns What the leader says; where it can not be reached, what the node says that was asked.
 * @throws ClientError when no node answers.
 */
export async function askMembers(context: CommandContext, client: Client): Promise<JsonDocument> {
  const { signal } = context.io;
  const document = await client.members({ signal });
  const leader = textOf(document, 'leader_address');
  const self = readMembers(document).find(({ isSelf }) => isSelf);
  if (leader === undefined || self?.isLeader === true) return document;
  try {
    const toLeader = connectServers(context, [leader], { retry: { attempts: 1 } });
    return await useAndClose(toLeader, (each) => each.members({ signal }));
  } catch (error) {
    if (error instanceof KayaError || error instanceof TypeError) return document;
    throw error;
  }
}
