/** The machine under a real Raft node and its log on one simulated disk: snapshots, a log that is cut behind them, crashes, restarts. */

import type { Write } from '@kayadb/codec';
import { bootstrapGroup, openRaftStorage, RaftNode } from '@kayadb/raft';
import { seededRandom, testSeed, VirtualClock } from '@kayadb/testkit';
import { crashClone, crashModes, MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { CommandResult } from '../../src/machine/command-result.ts';
import { encodeCommand } from '../../src/machine/encode-command.ts';
import type { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { CONFIGURATION, GROUP, MachineWorld } from './machine-world.ts';

interface Started {
  readonly machine: KayaMachine;
  readonly node: RaftNode<CommandResult>;
  readonly events: readonly string[];
  propose(parts: Partial<Write>, timeMs: number): Promise<CommandResult>;
  advance(): Promise<void>;
}

/** As a process would: storage, machine, node; the group is made if it is not there. */
async function start(fs: MemoryFileSystem): Promise<Started> {
  const identity = { clusterId: new Uint8Array(16).fill(3), nodeId: 1, incarnation: 1 };
  const clock = new VirtualClock();
  const openStorage = (): ReturnType<typeof openRaftStorage> =>
    openRaftStorage(`${GROUP}/raft`, { fs, identity, segmentBytes: 4096 });
  let storage = await openStorage();
  const found = storage.snapshot();
  const machine = await new MachineWorld(fs).open(found === 'unavailable' ? undefined : found);
  if (await bootstrapGroup(storage, machine, CONFIGURATION)) {
    await storage.close();
    storage = await openStorage();
  }
  const events: string[] = [];
  const random = seededRandom(1);
  const node = await RaftNode.open<CommandResult>({
    id: 1,
    storage,
    stateMachine: machine,
    sender: { send: () => undefined },
    shipper: { ship: () => Promise.resolve() },
    clock,
    random: (limit) => random.int(limit),
    yieldTurn: () => Promise.resolve(),
    tickMs: 100,
    snapshotBytes: 3000,
    keepBytes: 500,
    keepForSlowBytes: 1000,
    onEvent: (event) => {
      events.push(event.kind);
      if (event.kind === 'snapshot-made') machine.retireSnapshots(storage.snapshotsInUse);
    },
  });
  const advance = (): Promise<void> => clock.advanceAsync(100);
  node.campaign();
  for (let i = 0; i < 100 && node.status().role !== 'leader'; i++) await advance();
  const propose = async (parts: Partial<Write>, timeMs: number): Promise<CommandResult> => {
    const write = { conditions: [], operations: [], otherwise: [], ...parts };
    return (await node.propose(encodeCommand({ kind: 'write', timeMs, write }))).result;
  };
  return { machine, node, events, propose, advance };
}

describe('a machine under Raft', { timeout: 240_000 }, () => {
  test('has everything that was acknowledged, after crashes at any moment, with a log that begins behind snapshots', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    let fs = new MemoryFileSystem();
    await fs.makeDirectory(GROUP);
    await fs.syncDirectory('/');
    const expected = new Map<string, string>();
    let compactions = 0;
    let made = 0;
    for (let round = 0; round < 10; round++) {
      const started = await start(fs);
      for (const [key, value] of expected) {
        const row = await started.machine.get(Buffer.from(key));
        expect(row && Buffer.from(row.value).toString(), `seed ${seed}, round ${round}, ${key}`).toBe(value);
      }
      const count = 20 + random.int(60);
      for (let i = 0; i < count; i++) {
        const key = `k${random.int(30)}`;
        const value = `${round}.${i}`.padEnd(random.int(100), '.');
        const result = await started.propose(
          { operations: [{ kind: 'put', key: Buffer.from(key), value: Buffer.from(value) }] },
          round * 100 + i,
        );
        expect(result.kind).toBe('written');
        expected.set(key, value);
        if (i % 10 === 0) await started.advance();
      }
      made += started.events.filter((kind) => kind === 'snapshot-made').length;
      compactions += started.events.filter((kind) => kind === 'log-compacted').length;
      // What is in flight now, of snapshots and flushes, is cut short; acknowledged is what Raft's log has synced.
      fs = crashClone(fs, random.pick(crashModes(fs, () => random.next())), () => random.next());
      void started.node.close();
    }
    expect(made).toBeGreaterThan(8);
    expect(compactions).toBeGreaterThan(5);
  });
});
