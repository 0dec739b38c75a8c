import { settle } from '@kayadb/testkit';
import type { FileSystem } from '@kayadb/vfs';
import { FaultyFileSystem, type MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import {
  CONTENTS,
  type Contents,
  filesIn,
  GROUP_FOLDER,
  isForReceiver,
  openDisk,
  openReceiver,
  openSender,
  requestOf,
  sentBy,
} from '../../test/transfer-world.ts';
import type { SnapshotRequest } from '../core/message.ts';
import type { StatusSummary } from '../core/status.ts';
import { EMPTY_CONFIGURATION } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import type { SenderMessage, TransferMessage } from '../wire/transfer-message.ts';
import type { InstallOutcome } from './installs.ts';
import type { NodeEvent } from './node-events.ts';
import { SnapshotInstaller } from './snapshot-installer.ts';
import type { SnapshotSender } from './snapshot-sender.ts';

class World {
  readonly events: NodeEvent[] = [];
  readonly log: string[] = [];
  readonly sent: TransferMessage[] = [];
  readonly disk: MemoryFileSystem;
  readonly installer: SnapshotInstaller;
  /** What the node says, in turn; the last again and again. */
  outcomes: InstallOutcome[] = ['installed'];
  nodeError: Error | undefined;
  adoptError: Error | undefined;
  adopted: Contents | undefined;
  commit = 0;

  /** @param seen - The disk as the receiver sees it. */
  constructor(disk: MemoryFileSystem, seen: FileSystem = disk) {
    this.disk = disk;
    this.installer = new SnapshotInstaller({
      node: {
        installSnapshot: (request) => this.#install(request),
        summary: () => this.#summary(),
        poison: (cause) => void this.log.push(`poison: ${(cause as RaftError).code}`),
      },
      receiver: openReceiver(seen),
      target: {
        adopt: async ({ meta }, directory) => {
          this.log.push(`adopt ${meta.index}`);
          if (this.adoptError !== undefined) throw this.adoptError;
          this.adopted = await filesIn(disk, directory);
        },
        abandon: async ({ meta }) => void this.log.push(`abandon ${meta.index}`),
      },
      send: (message) => void this.sent.push(message),
      onEvent: (event) => void this.events.push(event),
      maxRetries: 2,
    });
  }

  async #install({ snapshot }: SnapshotRequest): Promise<InstallOutcome> {
    this.log.push(`install ${snapshot.meta.index}`);
    if (this.nodeError !== undefined) throw this.nodeError;
    return this.outcomes.length > 1 ? this.outcomes.shift()! : this.outcomes[0]!;
  }

  #summary(): StatusSummary {
    const { commit } = this;
    const log = { commit, applying: commit, applied: commit, lastIndex: commit };
    return { id: 3, term: 5, vote: 0, role: 'follower', leader: 1, ...log, configuration: EMPTY_CONFIGURATION };
  }

  /** Carries a snapshot to the installer. @returns What became of it at its sender. */
  async send(sender: SnapshotSender = openSender(), maxMessages = Infinity): Promise<string | undefined> {
    const inFlight: TransferMessage[] = sentBy(sender.offer());
    for (let count = 0; count < maxMessages; count++) {
      const message = inFlight.shift();
      if (message === undefined) return undefined;
      if (isForReceiver(message)) {
        await this.installer.receive(message);
        inFlight.push(...this.sent.splice(0));
        continue;
      }
      const effects = await sender.receive(message);
      const end = effects.find(({ kind }) => kind !== 'send');
      if (end !== undefined) return end.kind === 'failed' ? end.reason : end.kind;
      inFlight.push(...sentBy(effects));
    }
    return undefined;
  }
}

function offerOf(index: number, term = 5): SenderMessage {
  const [offer] = sentBy(openSender({ request: requestOf(index, term) }).offer());
  return offer as SenderMessage;
}

describe('SnapshotInstaller', () => {
  test('brings the files to the state machine, then the snapshot to the node, and makes room for the next', async () => {
    const world = new World(await openDisk());

    const ends = [await world.send()];
    await settle();
    ends.push(await world.send(openSender({ request: requestOf(12), transfer: 78 })));
    await settle();

    expect(ends).toEqual(['delivered', 'delivered']);
    expect(world.log).toEqual(['adopt 11', 'install 11', 'adopt 12', 'install 12']);
    expect(world.adopted).toEqual(CONTENTS);
    expect(world.events).toEqual([]);
    expect(await world.disk.readDirectory(GROUP_FOLDER)).toEqual([]);
  });

  test('refuses a snapshot that the state machine cannot take, and keeps none of it', async () => {
    const world = new World(await openDisk());
    world.adoptError = new Error('no room for the links');

    const end = await world.send();
    world.adoptError = undefined;
    const again = await world.send(openSender({ transfer: 78 }));

    expect([end, again]).toEqual(['storage', 'delivered']);
    expect(world.events).toMatchObject([
      { kind: 'snapshot-transfer-refused', from: 1, reason: 'storage', cause: { message: 'no room for the links' } },
    ]);
    expect(world.log).toEqual(['adopt 11', 'adopt 11', 'install 11']);
  });

  test('ends the node when a sync of what has come fails, since that process will take no snapshot any more', async () => {
    const disk = await openDisk();
    const faulty = new FaultyFileSystem(disk);
    const world = new World(disk, faulty);
    faulty.inject({ at: 3, effect: { kind: 'failed-sync', pages: 'dropped', errno: 'EIO' } });

    const end = await world.send();

    expect(end).toBe('storage');
    expect(world.events).toMatchObject([{ kind: 'snapshot-transfer-refused', reason: 'storage' }]);
    expect(world.log).toEqual(['poison: KAYA_RAFT_POISONED']);
  });

  test('gives a snapshot for which the node has no room again, tick by tick, and keeps it until then', async () => {
    const world = new World(await openDisk());
    world.outcomes = ['no-room', 'no-room', 'installed'];

    await world.send();
    const another = await world.send(openSender({ request: requestOf(12), transfer: 78 }));
    const log: number[] = [];
    for (let tick = 0; tick < 3; tick++) {
      await settle();
      log.push(world.log.length);
      world.installer.tick();
    }

    expect(log).toEqual([2, 3, 4]);
    expect(another).toBe('busy');
    expect(world.events).toMatchObject([{ kind: 'snapshot-transfer-refused', reason: 'busy' }]);
  });

  test('gives it up in the end, and lets the state machine remove it', async () => {
    const world = new World(await openDisk());
    world.outcomes = ['no-room'];

    await world.send();
    for (let tick = 0; tick < 5; tick++) {
      await settle();
      world.installer.tick();
    }

    expect(world.log).toEqual(['adopt 11', 'install 11', 'install 11', 'install 11', 'abandon 11']);
    expect(world.events).toMatchObject([{ kind: 'snapshot-not-installed', from: 1, index: 11, cause: undefined }]);
  });

  test('lets the state machine remove what the node does not need', async () => {
    const world = new World(await openDisk());
    world.outcomes = ['not-needed'];

    await world.send();
    await settle();

    expect(world.log).toEqual(['adopt 11', 'install 11', 'abandon 11']);
    expect(world.events).toMatchObject([{ kind: 'snapshot-not-installed', index: 11 }]);
  });

  test('leaves the files of a snapshot alone when the node stops: it may ask for them when it starts again', async () => {
    const world = new World(await openDisk());
    world.nodeError = new RaftError('KAYA_RAFT_STOPPED', 'closed');

    await world.send();
    await settle();

    expect(world.log).toEqual(['adopt 11', 'install 11']);
    expect(world.events).toMatchObject([{ kind: 'snapshot-not-installed', cause: { code: 'KAYA_RAFT_STOPPED' } }]);
    expect(await openReceiver(world.disk).reclaim(requestOf(11).snapshot)).toMatchObject({ files: [{}, {}, {}, {}] });
  });

  test('refuses an offer of what the node has, and of an earlier leader, before anything is sent', async () => {
    const world = new World(await openDisk());
    world.commit = 11;

    await world.installer.receive(offerOf(11));
    await world.installer.receive(offerOf(12, 4));

    expect(world.sent).toMatchObject([
      { kind: 'snapshot-refusal', reason: 'older' },
      { kind: 'snapshot-refusal', reason: 'older' },
    ]);
    // The leader hears from the core how far the node is, or it would offer it again and again.
    expect(world.log).toEqual(['install 11']);
    expect(await world.disk.readDirectory(GROUP_FOLDER)).toEqual([]);
  });

  test('removes what has come of a snapshot once the log has got there by itself', async () => {
    const world = new World(await openDisk());
    await world.send(openSender(), 5);
    const during = await world.disk.readDirectory(GROUP_FOLDER);

    world.installer.tick();
    await settle();
    const kept = await world.disk.readDirectory(GROUP_FOLDER);
    world.commit = 11;
    for (let tick = 0; tick < 100; tick++) world.installer.tick();
    await settle();

    expect([during.length, kept.length]).toEqual([1, 1]);
    expect(await world.disk.readDirectory(GROUP_FOLDER)).toEqual([]);
  });

  test('takes nothing any more once it is closed, and keeps what has come', async () => {
    const world = new World(await openDisk());
    await world.send(openSender(), 5);

    await world.installer.close();
    await world.installer.receive(offerOf(12));
    world.installer.tick();

    expect(world.sent).toEqual([]);
    expect(world.disk.openHandles).toBe(0);
    expect(await world.disk.readDirectory(GROUP_FOLDER)).toHaveLength(1);
  });
});
