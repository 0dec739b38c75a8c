/**
 * What a member of a group can do, without frames: any front door calls these. Each leaf asks `authorize` itself and hands on to the replica in the same
 * turn, so that writes are proposed in the order of the calls.
 */

import type { Freshness, OkResponse2, Row2, ScanRequest2, Write, WriteAnswer } from '@kayadb/codec';

import { authorize, type Identity } from '../access/authorize.ts';
import { Semaphore } from '../admission/semaphore.ts';
import type { ServerLimits } from '../limits.ts';
import type {
  ChangeOptions,
  MembershipOperations,
  NewMember,
  PlannedChange,
} from '../membership/membership-operations.ts';
import { checkAddress, checkNode } from '../operations/check-arguments.ts';
import type { ManyRows, Replica, RowScan, SessionGrant } from '../replica/replica.ts';
import { ServerError } from '../server-error.ts';
import type { Attempt } from './attempt.ts';
import type { NodeReports } from './node-reports.ts';
import { ScanCursor } from './scan-cursor.ts';

export interface NodeOperationsOptions {
  readonly replica: Replica;
  readonly membership: MembershipOperations;
  readonly reports: NodeReports;
  readonly limits: ServerLimits;
}

/** Of a row in an answer with many: a flag, a revision and a length. */
const ROW_OVERHEAD_BYTES = 16;

/** Every method rejects with AccessDeniedError, with another ServerError, or with what the replica, or who changes the group, failed with. */
export class NodeOperations {
  readonly #replica: Replica;
  readonly #membership: MembershipOperations;
  readonly #reports: NodeReports;
  readonly #limits: ServerLimits;
  readonly #gets: Semaphore;
  readonly #pages: Semaphore;

  constructor({ replica, membership, reports, limits }: NodeOperationsOptions) {
    this.#replica = replica;
    this.#membership = membership;
    this.#reports = reports;
    this.#limits = limits;
    this.#gets = new Semaphore(limits.maxConcurrentGets);
    this.#pages = new Semaphore(limits.maxConcurrentPages);
  }

  health(identity: Identity): Extract<OkResponse2, { kind: 'health' }> {
    authorize(identity, 'health');
    return { kind: 'health', role: this.#reports.role(), leaderAddress: this.#reports.leaderAddress() };
  }

  async get(identity: Identity, freshness: Freshness, key: Uint8Array, attempt: Attempt): Promise<Row2 | undefined> {
    authorize(identity, 'get');
    const task = (): Promise<Row2 | undefined> => this.#gets.run(() => this.#replica.get(key));
    return this.#replica.read(freshness, () => attempt.fetch('value', task));
  }

  /** In the order of `keys`. @throws ServerError KAYA_ANSWER_TOO_LARGE when the rows do not fit into one frame. */
  async getMany(
    identity: Identity,
    freshness: Freshness,
    keys: readonly Uint8Array[],
    attempt: Attempt,
  ): Promise<readonly (Row2 | undefined)[]> {
    authorize(identity, 'get');
    const maxBytes = this.#limits.maxFrameBytes - ROW_OVERHEAD_BYTES * keys.length;
    const task = (): Promise<ManyRows> => this.#pages.run(() => this.#replica.getMany(keys, maxBytes));
    const rows = await this.#replica.read(freshness, () => attempt.fetch('frame', task));
    if (rows !== 'too-large') return rows;
    const message = `the values of these ${keys.length} keys do not fit into one answer; ask for fewer of them at once`;
    throw new ServerError('KAYA_ANSWER_TOO_LARGE', message);
  }

  /** Durability: as `Replica.write`. Keeps the bytes of `write`. */
  async write(identity: Identity, write: Write, attempt: Attempt): Promise<WriteAnswer> {
    authorizeWrite(identity, write);
    attempt.markProposed();
    return this.#replica.write(write);
  }

  /** Opens a scan of a state that is as fresh as asked. Whoever gets it closes it. */
  async scan(identity: Identity, request: ScanRequest2): Promise<ScanCursor> {
    authorize(identity, 'scan');
    let rows: RowScan | undefined;
    try {
      await this.#replica.read(request.freshness, async () => {
        // Called again when what vouched for the first state has lapsed.
        await rows?.close();
        rows = this.#replica.scan(request);
      });
    } catch (error) {
      await rows?.close();
      throw error;
    }
    return new ScanCursor(rows!, request);
  }

  /** Hands the next page of `scan` to `take`, as `ScanCursor.next` does. */
  async nextPage(
    identity: Identity,
    scan: ScanCursor,
    attempt: Attempt,
    take: Parameters<ScanCursor['next']>[1],
  ): Promise<void> {
    authorize(identity, 'scan');
    await scan.next((read) => attempt.fetch('frame', () => this.#pages.run(read)), take);
  }

  async openSession(identity: Identity, expiryMs: number, attempt: Attempt): Promise<SessionGrant> {
    authorize(identity, 'open-session');
    attempt.markProposed();
    return this.#replica.openSession(expiryMs);
  }

  async touchSession(identity: Identity, session: number, attempt: Attempt): Promise<void> {
    authorize(identity, 'touch-session');
    attempt.markProposed();
    await this.#replica.touchSession(session);
  }

  async closeSession(identity: Identity, session: number, attempt: Attempt): Promise<void> {
    authorize(identity, 'close-session');
    attempt.markProposed();
    await this.#replica.closeSession(session);
  }

  async status(identity: Identity): Promise<string> {
    authorize(identity, 'status');
    return this.#reports.status();
  }

  async members(identity: Identity): Promise<string> {
    authorize(identity, 'members');
    return this.#reports.members();
  }

  async stats(identity: Identity): Promise<string> {
    authorize(identity, 'stats');
    return this.#reports.stats();
  }

  async addMember(
    identity: Identity,
    member: NewMember,
    options: ChangeOptions,
    attempt: Attempt,
  ): Promise<PlannedChange> {
    authorize(identity, 'add-member');
    checkNode(member.node);
    checkAddress(member.peerAddress, 'nodes');
    checkAddress(member.clientAddress, 'clients');
    return change(options, attempt, () => this.#membership.add(member, options));
  }

  async promoteMember(
    identity: Identity,
    node: number,
    options: ChangeOptions,
    attempt: Attempt,
  ): Promise<PlannedChange> {
    authorize(identity, 'promote-member');
    checkNode(node);
    return change(options, attempt, () => this.#membership.promote(node, options));
  }

  async removeMember(
    identity: Identity,
    node: number,
    options: ChangeOptions,
    attempt: Attempt,
  ): Promise<PlannedChange> {
    authorize(identity, 'remove-member');
    checkNode(node);
    return change(options, attempt, () => this.#membership.remove(node, options));
  }

  /** @param node - 0: any. @returns Who leads now. */
  async transferLeader(identity: Identity, node: number, attempt: Attempt): Promise<number> {
    authorize(identity, 'transfer-leader');
    attempt.markProposed();
    return this.#membership.transfer(node);
  }
}

/** A condition tells about a value, so it needs the right to read it. */
function authorizeWrite(identity: Identity, { conditions, operations, otherwise }: Write): void {
  if (conditions.length > 0) authorize(identity, 'get');
  for (const { kind } of operations) authorize(identity, kind);
  for (const { kind } of otherwise) authorize(identity, kind);
  // Without any operation it still takes an index of the log.
  authorize(identity, 'put');
}

/** @throws ServerError KAYA_MEMBERSHIP_REFUSED when it was to be done, and the plan says that it must not. */
async function change(
  { isDryRun }: ChangeOptions,
  attempt: Attempt,
  propose: () => Promise<PlannedChange>,
): Promise<PlannedChange> {
  if (!isDryRun) attempt.markProposed();
  const planned = await propose();
  const { refusal } = planned.plan;
  if (!isDryRun && refusal !== undefined) throw new ServerError('KAYA_MEMBERSHIP_REFUSED', refusal);
  return planned;
}
