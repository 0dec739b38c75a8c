/**
 * Protocol v1 on a member of a group. It has no sessions, so a write whose answer is lost may be done twice when it is said again; reads are linearizable,
 * on whichever member they are asked.
 */

import {
  type Clock,
  EMPTY_BYTES,
  type Page,
  type PageRow,
  prefixEnd,
  type ScanItem,
  type ScanRequest2,
  type WriteOperation,
} from '@kayadb/codec';

import { authorize, type Identity } from '../access/authorize.ts';
import { Semaphore } from '../admission/semaphore.ts';
import type { ServerLimits } from '../limits.ts';
import type { PlannedChange } from '../membership/membership-operations.ts';
import { checkKey, checkPrefix, checkValue, invalidArgument } from '../operations/check-arguments.ts';
import { collectScan } from '../operations/collect-scan.ts';
import type { V1Member, V1Operations, V1Transfer } from '../operations/v1-operations.ts';
import type { Attempt } from './attempt.ts';
import type { NodeOperations } from './node-operations.ts';
import type { ScanCursor } from './scan-cursor.ts';

export interface ReplicaV1OperationsOptions {
  readonly operations: NodeOperations;
  readonly clock: Clock;
  readonly limits: ServerLimits;
}

/** The lanes of version 1 see to the room for answers, and nothing is taken back. */
const ATTEMPT: Attempt = {
  isOver: false,
  fetch: (_kind, task) => task(),
  markProposed: () => {},
};

const LINEARIZABLE = { kind: 'linearizable' } as const;
const FOR_GOOD = { isDryRun: false } as const;

export class ReplicaV1Operations implements V1Operations {
  readonly #operations: NodeOperations;
  readonly #clock: Clock;
  readonly #limits: ServerLimits;
  readonly #scans: Semaphore;

  constructor({ operations, clock, limits }: ReplicaV1OperationsOptions) {
    this.#operations = operations;
    this.#clock = clock;
    this.#limits = limits;
    this.#scans = new Semaphore(limits.maxConcurrentScans);
  }

  async put(identity: Identity, key: Uint8Array, value: Uint8Array): Promise<void> {
    authorize(identity, 'put');
    checkKey(key);
    checkValue(value);
    await this.#write(identity, { kind: 'put', key, value });
  }

  async get(identity: Identity, key: Uint8Array): Promise<Uint8Array | undefined> {
    authorize(identity, 'get');
    checkKey(key);
    const row = await this.#operations.get(identity, LINEARIZABLE, key, ATTEMPT);
    return row?.value;
  }

  async delete(identity: Identity, key: Uint8Array): Promise<void> {
    authorize(identity, 'delete');
    checkKey(key);
    await this.#write(identity, { kind: 'delete', key });
  }

  async scan(identity: Identity, prefix: Uint8Array, signal: AbortSignal): Promise<readonly ScanItem[]> {
    authorize(identity, 'scan');
    checkPrefix(prefix);
    const { maxScanItems: maxItems, maxFrameBytes } = this.#limits;
    return this.#scans.run(async () => {
      signal.throwIfAborted();
      const cursor = await this.#operations.scan(identity, requestFor(prefix));
      try {
        const rows = rowsOf(cursor, signal);
        return await collectScan(rows, { maxItems, maxFrameBytes }, this.#clock);
      } finally {
        await cursor.close();
      }
    });
  }

  health(identity: Identity): 'leader' | 'follower' {
    return this.#operations.health(identity).role === 'leader' ? 'leader' : 'follower';
  }

  stats(identity: Identity): Promise<string> {
    return this.#operations.stats(identity);
  }

  async addMember(identity: Identity, { id, raftAddress, clientAddress, isLearner }: V1Member): Promise<string> {
    const member = { node: id, peerAddress: raftAddress, clientAddress, staysLearner: isLearner };
    const planned = await this.#operations.addMember(identity, member, FOR_GOOD, ATTEMPT);
    return `membership change proposed at ${place(planned)}`;
  }

  async removeMember(identity: Identity, id: number): Promise<string> {
    const planned = await this.#operations.removeMember(identity, id, FOR_GOOD, ATTEMPT);
    return `membership removal proposed at ${place(planned)}`;
  }

  async promoteLearner(identity: Identity, id: number): Promise<string> {
    const planned = await this.#operations.promoteMember(identity, id, FOR_GOOD, ATTEMPT);
    return `learner promote proposed at ${place(planned)}`;
  }

  async transferLeader(identity: Identity, { group, target }: V1Transfer): Promise<void> {
    authorize(identity, 'transfer-leader');
    if (group !== 0) throw invalidArgument(`there is no group ${group}; the only one is 0`);
    if (target === 0) throw invalidArgument('there is no node 0; nodes are numbered from 1');
    await this.#operations.transferLeader(identity, target, ATTEMPT);
  }

  async #write(identity: Identity, operation: WriteOperation): Promise<void> {
    await this.#operations.write(identity, { conditions: [], operations: [operation], otherwise: [] }, ATTEMPT);
  }
}

function requestFor(prefix: Uint8Array): ScanRequest2 {
  const to = prefixEnd(prefix) ?? EMPTY_BYTES;
  return {
    kind: 'scan',
    freshness: LINEARIZABLE,
    range: { from: prefix, isFromExclusive: false, to, isToInclusive: false },
    isDescending: false,
    isWithoutValues: false,
    limit: 0,
    pageBytes: 0,
    pageRows: 0,
  };
}

async function* rowsOf(cursor: ScanCursor, signal: AbortSignal): AsyncGenerator<PageRow> {
  for (let page = await nextPage(cursor); ; page = await nextPage(cursor)) {
    signal.throwIfAborted();
    yield* page.rows;
    if (page.isLast) return;
  }
}

async function nextPage(cursor: ScanCursor): Promise<Page> {
  let next: Page | undefined;
  await cursor.next(
    (read) => read(),
    (page) => {
      next = page;
      return true;
    },
  );
  return next!;
}

function place({ index }: PlannedChange): string {
  return `index ${index}`;
}
