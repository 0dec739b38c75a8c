import { crc32c } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import {
  CONTENTS,
  converse,
  filesIn,
  FIRST_WINDOW,
  GROUP_FOLDER,
  MemorySnapshot,
  openDisk,
  openReceiver,
  openSender,
  requestOf,
  sentBy,
} from '../../test/transfer-world.ts';
import type { SnapshotChunk, SnapshotOffer, TransferMessage } from '../wire/transfer-message.ts';
import type { SnapshotReceiver } from './snapshot-receiver.ts';

const FILES_FOLDER = `${GROUP_FOLDER}/snapshot.partial/files`;

function offerOf(change: Partial<SnapshotOffer> = {}): SnapshotOffer {
  const { from, to, term, snapshot } = requestOf(11);
  const { files } = new MemorySnapshot();
  return { kind: 'snapshot-offer', from, to, transfer: 77, round: 1, term, snapshot, files, ...change };
}

function chunkAt(offset: number, length: number, change: Partial<SnapshotChunk> = {}): SnapshotChunk {
  const data = CONTENTS[0]![1].slice(offset, offset + length);
  const place = { file: 0, offset, crc: crc32c(data), data };
  return { kind: 'snapshot-chunk', from: 1, to: 3, transfer: 77, round: 1, ...place, ...change };
}

async function answers(receiver: SnapshotReceiver, message: SnapshotOffer | SnapshotChunk): Promise<TransferMessage[]> {
  return sentBy(await receiver.receive(message));
}

function position(offset: number, change: Partial<TransferMessage> = {}): object {
  const place = { transfer: 77, round: 1, file: 0, offset, windowBytes: 48, isRewind: false };
  return { kind: 'snapshot-position', from: 3, to: 1, ...place, ...change };
}

function refusal(reason: string, change: Partial<TransferMessage> = {}): object {
  return { kind: 'snapshot-refusal', from: 3, to: 1, transfer: 77, round: 1, reason, ...change };
}

const DONE = { kind: 'snapshot-done', from: 3, to: 1, transfer: 77 };

describe('SnapshotReceiver', () => {
  test('hands a snapshot over when all of its files are there, in front of its answer', async () => {
    const disk = await openDisk();
    const sender = openSender();

    const events = await converse(sender, openReceiver(disk));

    const { files } = new MemorySnapshot();
    expect(events).toEqual([
      { kind: 'received', request: requestOf(11), directory: FILES_FOLDER, files },
      { kind: 'delivered', to: 3 },
    ]);
    expect(await filesIn(disk, FILES_FOLDER)).toEqual(CONTENTS);
    expect(disk.openHandles).toBe(0);
  });

  test('hands a snapshot without files, or with empty ones only, over at once', async () => {
    const empty = [['a', new Uint8Array(0)]] as const;

    for (const contents of [[], empty]) {
      const disk = await openDisk();
      const { files } = new MemorySnapshot(contents);

      const effects = await openReceiver(disk).receive(offerOf({ files }));

      expect(effects).toMatchObject([{ kind: 'received' }, { kind: 'send', message: DONE }]);
      expect(await filesIn(disk, FILES_FOLDER)).toEqual(contents);
    }
  });

  test('removes everything when it is released, and is ready for the next one', async () => {
    const disk = await openDisk();
    const receiver = openReceiver(disk);
    await converse(openSender(), receiver);

    await receiver.release();
    await receiver.release();

    expect(await disk.readDirectory(GROUP_FOLDER)).toEqual([]);
    const next = await converse(openSender({ request: requestOf(12), transfer: 78 }), receiver);
    expect(next).toMatchObject([{ kind: 'received', request: requestOf(12) }, { kind: 'delivered' }]);
  });

  test('says done again to a sender that has not heard it, and does not ask for anything again', async () => {
    const receiver = openReceiver(await openDisk());
    await converse(openSender(), receiver);

    expect(await answers(receiver, chunkAt(0, 16))).toEqual([DONE]);
    expect(await answers(receiver, offerOf({ round: 9 }))).toEqual([DONE]);
    await receiver.release();
    expect(await answers(receiver, offerOf({ round: 10 }))).toEqual([DONE]);
  });

  test('answers an offer with the place where it needs the files from', async () => {
    const receiver = openReceiver(await openDisk());

    expect(await answers(receiver, offerOf())).toEqual([position(0)]);
    expect(await answers(receiver, chunkAt(0, 16))).toEqual([position(16)]);
    expect(await answers(receiver, offerOf({ round: 2 }))).toEqual([position(16, { round: 2 })]);
  });

  test('does not answer an offer of a round that it is at, or past', async () => {
    const receiver = openReceiver(await openDisk());
    await receiver.receive(offerOf({ round: 5 }));

    expect(await receiver.receive(offerOf({ round: 5 }))).toEqual([]);
    expect(await receiver.receive(offerOf({ round: 4 }))).toEqual([]);
  });

  test('asks once for what is missing, and ignores what is left of the round', async () => {
    const receiver = openReceiver(await openDisk());
    await receiver.receive(offerOf());

    expect(await answers(receiver, chunkAt(16, 16))).toEqual([position(0, { isRewind: true })]);
    expect(await answers(receiver, chunkAt(32, 8))).toEqual([]);
    expect(await answers(receiver, chunkAt(0, 16))).toEqual([]);
    expect(await answers(receiver, chunkAt(0, 16, { round: 2 }))).toEqual([position(16, { round: 2 })]);
    expect(await answers(receiver, chunkAt(16, 16))).toEqual([]);
  });

  test('tells where it is when a chunk is repeated, and does not write it again', async () => {
    const disk = await openDisk();
    const receiver = openReceiver(disk);
    await receiver.receive(offerOf());
    await receiver.receive(chunkAt(0, 16));

    const repeated = await answers(receiver, chunkAt(0, 16, { data: new Uint8Array(16) }));

    expect(repeated).toEqual([position(16)]);
    expect(await disk.readFile(`${FILES_FOLDER}/000004.sst`)).toEqual(CONTENTS[0]![1].slice(0, 16));
  });

  test.each([
    ['with a wrong checksum', chunkAt(0, 16, { crc: 1 })],
    [
      'that goes beyond the end of its file',
      chunkAt(0, 41, { data: new Uint8Array(41), crc: crc32c(new Uint8Array(41)) }),
    ],
  ])('asks again for a chunk %s, and gives the transfer up the third time', async (_what, wrong) => {
    const disk = await openDisk();
    const receiver = openReceiver(disk);
    await receiver.receive(offerOf());

    expect(await answers(receiver, wrong)).toEqual([position(0, { isRewind: true })]);
    expect(await answers(receiver, { ...wrong, round: 2 })).toEqual([position(0, { isRewind: true, round: 2 })]);
    const last = await receiver.receive({ ...wrong, round: 3 });

    expect(last).toEqual([
      { kind: 'refused', from: 1, reason: 'checksum', cause: undefined },
      { kind: 'send', message: refusal('checksum', { round: 3 }) },
    ]);
    expect(await disk.readDirectory(GROUP_FOLDER)).toEqual([]);
  });

  test('gives up a file whose whole checksum is never right', async () => {
    const pinned = new MemorySnapshot();
    pinned.readFrom = () => new Uint8Array(40);
    const disk = await openDisk();

    const events = await converse(openSender({ pinned }), openReceiver(disk));

    expect(events).toMatchObject([
      { kind: 'refused', reason: 'checksum' },
      { kind: 'failed', reason: 'checksum' },
    ]);
    expect(pinned.pins).toBe(0);
  });

  test('does not count what was wrong with an earlier file', async () => {
    const pinned = new MemorySnapshot();
    const wrongOnce = new Set([0, 2, 3]);
    const right = pinned.readFrom;
    pinned.readFrom = (file) => (wrongOnce.delete(file) ? new Uint8Array(40) : right(file));

    const events = await converse(openSender({ pinned }), openReceiver(await openDisk()));

    expect(wrongOnce.size).toBe(0);
    expect(events).toMatchObject([{ kind: 'received' }, { kind: 'delivered' }]);
  });

  test('knows nothing of a transfer that was not offered', async () => {
    const receiver = openReceiver(await openDisk());

    expect(await receiver.receive(chunkAt(0, 16))).toEqual([{ kind: 'send', message: refusal('unknown') }]);
    await receiver.receive(offerOf());
    expect(await answers(receiver, chunkAt(0, 16, { transfer: 78 }))).toEqual([refusal('unknown', { transfer: 78 })]);
    expect(await answers(receiver, chunkAt(0, 16))).toEqual([position(16)]);
  });

  test('lets a newer snapshot take the place of an unfinished one', async () => {
    const disk = await openDisk();
    const receiver = openReceiver(disk);
    await receiver.receive(offerOf());
    await receiver.receive(chunkAt(0, 16));

    const events = await converse(openSender({ request: requestOf(12), transfer: 78 }), receiver);

    expect(events).toMatchObject([
      { kind: 'replaced', from: 1, index: 11 },
      { kind: 'received', request: requestOf(12) },
      { kind: 'delivered' },
    ]);
    expect(await filesIn(disk, FILES_FOLDER)).toEqual(CONTENTS);
  });

  test.each([
    ['an older one of the same leader', requestOf(10)],
    ['one of an earlier leader', requestOf(12, 4)],
  ])('refuses %s while another is on its way', async (_what, { term, snapshot }) => {
    const receiver = openReceiver(await openDisk());
    await receiver.receive(offerOf());

    const effects = await receiver.receive(offerOf({ transfer: 78, term, snapshot }));

    expect(effects).toMatchObject([
      { kind: 'refused', reason: 'older' },
      { kind: 'send', message: refusal('older', { transfer: 78 }) },
    ]);
    expect(await answers(receiver, chunkAt(0, 16))).toEqual([position(16)]);
  });

  test('takes a lower index from a later leader', async () => {
    const receiver = openReceiver(await openDisk());
    await receiver.receive(offerOf());

    const [replaced] = await receiver.receive(offerOf({ transfer: 78, ...requestOf(10, 6), kind: 'snapshot-offer' }));

    expect(replaced).toEqual({ kind: 'replaced', from: 1, index: 11 });
  });

  test('touches nothing while the files of a snapshot are in use', async () => {
    const disk = await openDisk();
    const receiver = openReceiver(disk);
    await converse(openSender(), receiver);

    const another = await answers(receiver, offerOf({ transfer: 78, ...requestOf(12), kind: 'snapshot-offer' }));
    const same = await answers(receiver, offerOf({ transfer: 79 }));

    expect(another).toEqual([refusal('busy', { transfer: 78 })]);
    expect(same).toEqual([{ ...DONE, transfer: 79 }]);
    expect(await filesIn(disk, FILES_FOLDER)).toEqual(CONTENTS);
  });

  test('takes messages in order, and no more of them than two windows and a chunk', async () => {
    const receiver = openReceiver(await openDisk());
    const huge = chunkAt(0, 1, { data: new Uint8Array(1024 * 1024), transfer: 1 });

    const outcomes = await Promise.all([
      receiver.receive(offerOf()),
      receiver.receive(chunkAt(0, 16)),
      receiver.receive(huge),
      receiver.receive(chunkAt(16, 16)),
    ]);

    expect(outcomes.map(sentBy)).toEqual([
      [position(0)],
      [position(16)],
      [refusal('overrun', { transfer: 1 })],
      [position(32)],
    ]);
  });

  test('goes on where it is when another transfer offers the same snapshot', async () => {
    const receiver = openReceiver(await openDisk(), 1000);
    await receiver.receive(offerOf());
    await receiver.receive(chunkAt(0, 16));

    const effects = await receiver.receive(offerOf({ transfer: 78, term: 6 }));

    expect(effects).toEqual([{ kind: 'send', message: position(16, { transfer: 78 }) }]);
    expect(await answers(receiver, chunkAt(16, 16))).toEqual([refusal('unknown')]);
    expect(await answers(receiver, chunkAt(16, 16, { transfer: 78 }))).toEqual([position(32, { transfer: 78 })]);
  });

  test('says how far it is while it reads back what came to an earlier process, so that its sender waits for it', async () => {
    const contents = Array.from('abcdefgh', (name) => [name, new Uint8Array(8).fill(1)] as const);
    const disk = await openDisk();
    const earlier = openSender({ pinned: new MemorySnapshot(contents) });
    await converse(earlier, openReceiver(disk, 1), 14);
    const reads: (() => void)[] = [];
    const open = disk.open.bind(disk);
    disk.open = async (path, mode) => {
      if (mode === 'read' && path.startsWith(FILES_FOLDER)) await new Promise<void>((resume) => reads.push(resume));
      return await open(path, mode);
    };
    const sender = openSender({ pinned: new MemorySnapshot(contents), transfer: 78 });
    const receiver = openReceiver(disk, 1);

    const [first] = sentBy(sender.offer());
    const begun = receiver.receive(first as SnapshotOffer);
    const told: string[] = [];
    const ends: string[] = [];
    for (let wait = 0; wait < 15; wait++) {
      await settle();
      if (wait % 3 === 2) reads.shift()?.();
      const effects = Array.from({ length: 3 }, () => sender.tick()).flat();
      ends.push(...effects.filter(({ kind }) => kind !== 'send').map(({ kind }) => kind));
      for (const offer of sentBy(effects)) {
        const soon = await Promise.race([answers(receiver, offer as SnapshotOffer), settle()]);
        for (const answer of soon ?? []) {
          if (answer.kind !== 'snapshot-position') continue;
          told.push(`${answer.file} ${answer.windowBytes}`);
          expect(await sender.receive(answer)).toEqual([]);
        }
      }
    }
    disk.open = open;
    for (const resume of reads) resume();
    await begun;

    expect(ends).toEqual([]);
    expect([...new Set(told)]).toEqual(['0 0', '1 0', '2 0', '3 0', '4 0']);
    expect(await converse(sender, receiver)).toMatchObject([{ kind: 'received' }, { kind: 'delivered' }]);
  });

  test('takes back what was handed over to an earlier process, and keeps it until it is released', async () => {
    const disk = await openDisk();
    await converse(openSender(), openReceiver(disk));
    const receiver = openReceiver(disk);

    const held = await receiver.reclaim(requestOf(11).snapshot);

    expect(held).toEqual({ directory: FILES_FOLDER, files: new MemorySnapshot().files });
    const another = offerOf({ transfer: 78, ...requestOf(12), kind: 'snapshot-offer' });
    expect(await answers(receiver, another)).toEqual([refusal('busy', { transfer: 78 })]);
    await receiver.release();
    expect(await disk.readDirectory(GROUP_FOLDER)).toEqual([]);
  });

  test('takes back nothing that is another snapshot, unfinished, or not right any more', async () => {
    const disk = await openDisk();
    await converse(openSender(), openReceiver(disk, 1), FIRST_WINDOW);
    const unfinished = await openReceiver(disk).reclaim(requestOf(11).snapshot);
    await converse(openSender(), openReceiver(disk));
    const another = await openReceiver(disk).reclaim(requestOf(12).snapshot);
    await disk.unlink(`${FILES_FOLDER}/CURRENT`);
    const incomplete = await openReceiver(disk).reclaim(requestOf(11).snapshot);

    const nothing = await openReceiver(await openDisk()).reclaim(requestOf(11).snapshot);

    expect([unfinished, another, incomplete, nothing]).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('takes up a transfer in the same process where it was', async () => {
    const disk = await openDisk();
    const receiver = openReceiver(disk);
    await receiver.receive(offerOf());
    await receiver.receive(chunkAt(0, 16));
    await receiver.receive(chunkAt(16, 16));

    await receiver.close();

    expect(disk.openHandles).toBe(0);
    expect(await answers(receiver, chunkAt(32, 8))).toEqual([refusal('unknown')]);
    // 24 bytes are the least between two checkpoints, so all that was written is known to be durable.
    expect(await answers(receiver, offerOf({ round: 2 }))).toEqual([position(32, { round: 2 })]);
  });

  test('removes what has come of a snapshot that is of no use any more, also of an earlier process', async () => {
    const disk = await openDisk();
    const receiver = openReceiver(disk, 1);
    await receiver.receive(offerOf());
    await receiver.receive(chunkAt(0, 16));

    await receiver.discardUpTo(10);
    const before = await answers(receiver, chunkAt(16, 16));
    await receiver.close();
    await openReceiver(disk).discardUpTo(11);
    const left = await disk.readDirectory(GROUP_FOLDER);

    expect(before).toEqual([position(32)]);
    expect(left).toEqual([]);
    expect(disk.openHandles).toBe(0);
    expect(await answers(receiver, offerOf({ round: 2 }))).toEqual([position(0, { round: 2 })]);
  });

  test('ends the transfer under way when nobody needs it any more, and never what is in use', async () => {
    const disk = await openDisk();
    const receiver = openReceiver(disk);
    await receiver.receive(offerOf());

    await receiver.discardUpTo(11);
    const after = await answers(receiver, chunkAt(0, 16));
    await converse(openSender({ transfer: 78 }), receiver);
    await receiver.discardUpTo(11);

    expect(after).toEqual([refusal('unknown')]);
    expect(await filesIn(disk, FILES_FOLDER)).toEqual(CONTENTS);
  });
});
