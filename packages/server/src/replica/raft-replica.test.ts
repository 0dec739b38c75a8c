import { encodeUtf8, type Write } from '@kayadb/codec';
import type { DiskState } from '@kayadb/engine';
import { NO_NODE, NotLeaderError, RaftError, type RaftErrorCode } from '@kayadb/raft';
import { VirtualClock } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { CommandResult } from '../machine/command-result.ts';
import { decodeCommand } from '../machine/decode-command.ts';
import { LEADER_WAIT_MS } from './leader-wait.ts';
import { RaftReplica, type RaftReplicaParts } from './raft-replica.ts';

const PUT: Write = {
  conditions: [],
  operations: [{ kind: 'put', key: encodeUtf8('k'), value: encodeUtf8('v') }],
  otherwise: [],
};
const DELETE: Write = { ...PUT, operations: [{ kind: 'delete', key: encodeUtf8('k') }] };

interface FakeState {
  readonly machineMs?: number;
  readonly diskState?: DiskState;
  readonly isLogFull?: boolean;
  /** Who leads, now. Default: node 2. */
  readonly leader?: () => number;
  /** It leads, and holds leases. */
  readonly leaseTerm?: number;
  /** What it knows to be committed; it has applied up to 7. */
  readonly commit?: () => number;
}

/** A node that answers every proposal the same, and remembers them. */
function openReplica(answer: CommandResult | Error, state: FakeState = {}) {
  const proposed: Uint8Array[] = [];
  let confirmations = 0;
  const clock = new VirtualClock();
  const settle = async (): Promise<CommandResult> => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const parts: RaftReplicaParts = {
    node: {
      id: 1,
      leaseTerm: state.leaseTerm,
      isDiskFull: state.isLogFull ?? false,
      propose: async (data) => {
        proposed.push(data);
        return { index: 7, term: 2, result: await settle() };
      },
      readIndex: async () => {
        confirmations++;
        await settle();
        return 7;
      },
      summary: () =>
        ({ leader: state.leader?.() ?? 2, commit: state.commit?.() ?? 7 }) as ReturnType<
          RaftReplicaParts['node']['summary']
        >,
    },
    machine: {
      timeMs: state.machineMs ?? 0,
      appliedIndex: 7,
      diskState: state.diskState ?? 'ok',
      get: async () => ({ value: encodeUtf8('v'), revision: 7 }),
      getMany: async () => [],
      scan: () => {
        throw new TypeError('nobody scans');
      },
    },
    clientAddressOf: (node) => (node === 2 ? 'n2:2' : undefined),
    clock,
    wallClock: () => 1000,
    leaseMs: state.leaseTerm === undefined ? 0 : 400,
  };
  return { replica: new RaftReplica(parts), proposed, clock, confirmations: () => confirmations };
}

describe('RaftReplica', () => {
  test('proposes a write, stamped, and answers what it came to', async () => {
    const answer = { revision: 7, term: 2, failed: undefined };
    const { replica, proposed } = openReplica({ kind: 'written', answer });

    const written = await replica.write(PUT);

    expect(written).toEqual(answer);
    expect(decodeCommand(proposed[0]!)).toMatchObject({ kind: 'write', timeMs: 1000, write: PUT });
  });

  test('never stamps a command before what the machine has applied', async () => {
    const { replica, proposed } = openReplica({ kind: 'session-opened', session: 7, expiryMs: 9 }, { machineMs: 5000 });

    await replica.openSession(9);

    expect(decodeCommand(proposed[0]!).timeMs).toBe(5000);
  });

  test('gives a session the default expiry where none is asked for', async () => {
    const { replica, proposed } = openReplica({ kind: 'session-opened', session: 7, expiryMs: 9 });

    await replica.openSession(0);

    expect(decodeCommand(proposed[0]!)).toMatchObject({ kind: 'open-session', expiryMs: 3_600_000 });
  });

  test.each(['low', 'full'] as const)(
    'refuses what takes room on a disk that is %s, and nothing else',
    async (diskState) => {
      const answer = { revision: 7, term: 2, failed: undefined };
      const { replica, proposed } = openReplica({ kind: 'written', answer }, { diskState, leader: () => 1 });

      await expect(replica.write(PUT)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL', outcome: 'not-done' });
      await expect(replica.write({ ...DELETE, otherwise: PUT.operations })).rejects.toMatchObject({
        code: 'KAYA_DISK_FULL',
      });
      await replica.write(DELETE);

      expect(proposed).toHaveLength(1);
    },
  );

  test('on a full disk of a member that follows does not speak for the leader', async () => {
    const { replica } = openReplica(new NotLeaderError(2, 'elsewhere'), { diskState: 'full' });

    const write = replica.write(PUT);

    await expect(write).rejects.toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: 'n2:2' });
  });

  test.each([
    ['expired', 'KAYA_SESSION_EXPIRED'],
    ['stale', 'KAYA_STALE_SERIAL'],
    ['far', 'KAYA_OVERLOADED'],
  ] as const)('tells a refusal by the machine: %s', async (refusal, code) => {
    const { replica } = openReplica({ kind: 'refused', refusal });

    await expect(replica.write(PUT)).rejects.toMatchObject({ code, outcome: 'not-done' });
  });

  test.each<[RaftErrorCode, string, string, string]>([
    ['KAYA_RAFT_DROPPED', 'KAYA_OVERLOADED', 'KAYA_NO_QUORUM', 'not-done'],
    ['KAYA_RAFT_UNKNOWN_OUTCOME', 'KAYA_UNKNOWN_OUTCOME', 'KAYA_UNKNOWN_OUTCOME', 'unknown'],
    ['KAYA_RAFT_STOPPED', 'KAYA_STOPPING', 'KAYA_STOPPING', 'not-done'],
    ['KAYA_RAFT_POISONED', 'KAYA_STOPPING', 'KAYA_STOPPING', 'not-done'],
  ])('tells %s of a write as %s and of a read as %s', async (cause, ofWrite, ofRead, outcome) => {
    const { replica } = openReplica(new RaftError(cause, 'so it is'));

    const write = replica.write(PUT);
    const read = replica.read({ kind: 'linearizable' }, async () => 'never');

    await expect(write).rejects.toMatchObject({ code: ofWrite, outcome });
    await expect(read).rejects.toMatchObject({ code: ofRead });
  });

  test('says of what is not taken that the disk of the log is full, where that is why', async () => {
    const dropped = openReplica(new RaftError('KAYA_RAFT_DROPPED', 'so it is'), { isLogFull: true });
    const begun = openReplica(new RaftError('KAYA_RAFT_UNKNOWN_OUTCOME', 'so it is'), { isLogFull: true });

    await expect(dropped.replica.write(DELETE)).rejects.toMatchObject({ code: 'KAYA_DISK_FULL', outcome: 'not-done' });
    await expect(begun.replica.write(DELETE)).rejects.toMatchObject({ code: 'KAYA_UNKNOWN_OUTCOME' });
  });

  test('says where clients reach the leader', async () => {
    const { replica } = openReplica(new NotLeaderError(2, 'elsewhere'));

    await expect(replica.write(PUT)).rejects.toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: 'n2:2' });
    expect(replica.leaderAddress).toBe('n2:2');
  });

  test.each([
    ['nobody leads', new NotLeaderError(NO_NODE, 'so it is'), NO_NODE],
    ['this node hands over', new RaftError('KAYA_RAFT_DROPPED', 'so it is'), 1],
  ])('says where clients reach the next leader, when %s for the moment', async (_, answer, before) => {
    let leader = before;
    const { replica, proposed, clock } = openReplica(answer, { leader: () => leader });

    const refusal = replica.write(PUT).catch((error: unknown) => error);
    await clock.advanceAsync(100);
    leader = 2;
    await clock.advanceAsync(10);

    expect(await refusal).toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: 'n2:2' });
    expect(proposed).toHaveLength(1);
    expect(clock.now()).toBe(110);
  });

  test('reads by a lease as long as everything that is committed is applied, and behind a confirmation otherwise', async () => {
    let commit = 7;
    const { replica, confirmations } = openReplica({ kind: 'done' }, { leaseTerm: 2, commit: () => commit });
    const read = (): Promise<string> => replica.read({ kind: 'lease' }, async () => 'v');

    await read();
    await read();
    const leased = confirmations();
    commit = 8;
    await read();

    expect([leased, confirmations()]).toEqual([1, 2]);
  });

  test('says that nobody leads when that stays so', async () => {
    const { replica, clock } = openReplica(new NotLeaderError(NO_NODE, 'so it is'), { leader: () => NO_NODE });

    const refusal = replica.write(PUT).catch((error: unknown) => error);
    await clock.advanceAsync(LEADER_WAIT_MS);

    expect(await refusal).toMatchObject({ code: 'KAYA_NOT_LEADER', leaderAddress: undefined });
  });

  test('reads behind a confirmation', async () => {
    const { replica } = openReplica({ kind: 'done' });

    const row = await replica.read({ kind: 'linearizable' }, () => replica.get(encodeUtf8('k')));

    expect(row?.revision).toBe(7);
  });
});
