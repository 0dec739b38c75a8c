/** A leader that is about to stop, or whose disk does not answer, has another one take its place. */

import type { Clock } from '@kayadb/codec';
import { NO_NODE, type NodeId, type NodeStatus } from '@kayadb/raft';

import { settlesWithin } from '../settles-within.ts';
import type { GroupAccess } from './group-access.ts';
import type { Hearing } from './hearing.ts';
import { listSuccessors, type SuccessorOrder } from './leader-view.ts';

export interface HandOverParts {
  readonly access: Pick<GroupAccess, 'status' | 'transferLeader'>;
  readonly hearing: Hearing;
  readonly clock: Clock;
}

/**
 * Hands leadership over if this node leads: to the first voter in `order`, and to the next one when that does not take it. Waits for nothing where there is nobody.
 * Never rejects.
 *
 * @param deadlineMs - Bound: in all.
 * @returns Whether somebody else leads, as far as this node knows.
 */
export async function handOver(
  { access, hearing, clock }: HandOverParts,
  deadlineMs: number,
  order: SuccessorOrder = 'log',
): Promise<boolean> {
  const deadline = clock.now() + deadlineMs;
  const tried = new Set<NodeId>();
  for (;;) {
    const status = access.status();
    if (status.role !== 'leader') return leadsElsewhere(status);
    await settlesWithin(hearing.settled(status), deadline - clock.now(), clock);
    const [next] = listSuccessors(access.status(), hearing, order).filter((node) => !tried.has(node));
    const leftMs = deadline - clock.now();
    if (next === undefined || leftMs <= 0) return leadsElsewhere(access.status());
    tried.add(next);
    // What it fails with is seen in the status: whoever leads now leads.
    const transfer = access.transferLeader(next).catch(() => undefined);
    if (!(await settlesWithin(transfer, leftMs, clock))) return false;
  }
}

function leadsElsewhere({ id, leader }: NodeStatus): boolean {
  return leader !== NO_NODE && leader !== id;
}
