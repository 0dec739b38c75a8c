/** Damage and leftovers, case by case: each is refused by file and offset, or is what a crash may leave and opens. */

import { crc32c, writeU16, writeU32, writeU64 } from '@kayadb/codec';
import { FaultyFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { encodeFileHeader, fileSeed, STATE_MAGIC } from '../src/storage/file-header.ts';
import { encodeSlot, slotOffset, STATE_SLOT_BYTES, type VersionedVote } from '../src/storage/hard-state-format.ts';
import { encodeRecord, payloadBytesOf, recordBytes } from '../src/storage/segment-format.ts';
import { sampleEntries, sampleEntry, sampleSnapshot, vote } from '../src/testing/storage-samples.ts';
import { IDENTITY, RaftDirectory, RECORD_OFFSETS, threeRecords } from './raft-directory.ts';

const FIRST = '000001.rlog';
const WHOLE = '1/1 1/2 1/3, term 1, vote 2';
const TORN = '1/1 1/2, term 1, vote 2';
const [SECOND_RECORD, LAST_RECORD, END] = [RECORD_OFFSETS[1], RECORD_OFFSETS[2], RECORD_OFFSETS[3]];
const HEADER_CRC_AT = 92;

async function killed(): Promise<RaftDirectory> {
  const directory = new RaftDirectory();
  await directory.build(threeRecords);
  return directory;
}

async function closed(): Promise<RaftDirectory> {
  const directory = new RaftDirectory();
  await directory.build(threeRecords, 'closed');
  return directory;
}

/** Segments of one or two entries: 1 to 6 in segments 1 to 3. */
async function segmented(): Promise<RaftDirectory> {
  const directory = new RaftDirectory({ segmentBytes: 200 });
  const batches = sampleEntries(1, 6, 1).map((entry) => ({ entries: [entry] }));
  await directory.build([{ hardState: vote(1, 2) }, ...batches]);
  return directory;
}

const SEGMENTED = '1/1 1/2 1/3 1/4 1/5 1/6, term 1, vote 2';

/** Changes a header, with a checksum that matches. */
function reseal(change: (bytes: Uint8Array) => void): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    change(bytes);
    writeU32(bytes, HEADER_CRC_AT, crc32c(bytes, 0, 0, HEADER_CRC_AT));
    return bytes;
  };
}

describe('the last segment', () => {
  test('opens when it is whole', async () => {
    const directory = await killed();

    expect(await directory.outcome()).toBe(WHOLE);
  });

  test('opens when nothing was written to it', async () => {
    const directory = new RaftDirectory();
    await directory.build([]);

    expect(await directory.outcome()).toBe('empty behind 0, term 0, vote 0');
  });

  test('opens when it is longer than its records', async () => {
    const directory = await killed();
    await directory.change(FIRST, (bytes) => new Uint8Array([...bytes.subarray(0, END), ...new Uint8Array(9000)]));

    expect(await directory.outcome()).toBe(WHOLE);
  });

  test('is refused when it is empty: it has its name only when its header is durable', async () => {
    const directory = await killed();
    await directory.cut(FIRST, 0);

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:0`);
  });

  test('is refused when it is all zeros', async () => {
    const directory = await killed();
    await directory.change(FIRST, (bytes) => bytes.fill(0));

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:0`);
  });

  test.each([[1], [8], [95]])('is refused when only %i bytes of its header are there', async (bytes) => {
    const directory = await killed();
    await directory.cut(FIRST, bytes);

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:0`);
  });

  test('opens when something stands behind zeros: nobody vouches for it', async () => {
    const directory = await killed();
    await directory.change(FIRST, (bytes) => {
      const longer = new Uint8Array(END + 1000);
      longer.set(bytes.subarray(0, END));
      return longer.fill(0xab, END + 500);
    });

    expect(await directory.outcome()).toBe(WHOLE);
  });

  test.each([
    ['nothing', 0],
    ['a part of the header', 20],
    ['the header', 48],
    ['a part of an entry', 60],
    ['all but the last byte', 78],
  ])('ends before a record of which %s arrived', async (_what, bytes) => {
    const directory = await killed();
    await directory.cut(FIRST, LAST_RECORD + bytes);

    expect(await directory.outcome()).toBe(TORN);
  });

  test('ends before a last record that does not verify', async () => {
    const directory = await killed();
    await directory.flip(FIRST, LAST_RECORD + 77);

    expect(await directory.outcome()).toBe(TORN);
  });

  test.each([[0], [4], [8], [16], [24], [32], [40], [44], [46], [48], [56], [64], [77]])(
    'is refused when byte %i of a record that a later one vouches for is flipped',
    async (byte) => {
      const directory = await killed();
      await directory.flip(FIRST, SECOND_RECORD + byte);

      expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:${SECOND_RECORD}`);
    },
  );

  test('is refused when the last record is damaged after a clean close', async () => {
    const directory = await closed();
    await directory.flip(FIRST, LAST_RECORD + 50);

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:${LAST_RECORD}`);
  });

  test('is refused when it was cut after a clean close, but for the record that says so', async () => {
    const directory = await closed();
    await directory.change(FIRST, (bytes) => bytes.fill(0, LAST_RECORD, END));

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:${LAST_RECORD}`);
  });

  test('is refused by its magic, version, cipher and key', async () => {
    const outcomes: string[] = [];
    for (const [offset, value] of [
      [8, 2],
      [10, 1],
      [12, 1],
      [80, 1],
    ] as const) {
      const directory = await killed();
      await directory.change(
        FIRST,
        reseal((bytes) => writeU16(bytes, offset, value)),
      );
      outcomes.push(await directory.outcome());
    }
    const directory = await killed();
    await directory.flip(FIRST, 3);
    outcomes.push(await directory.outcome());

    expect(outcomes).toEqual([
      ...Array.from({ length: 4 }, () => 'KAYA_RAFT_UNSUPPORTED'),
      `KAYA_RAFT_CORRUPTION ${FIRST}:0`,
    ]);
  });

  test('ends where a record is older than the segment, though its CRC matches: two headers may share theirs', async () => {
    const directory = await segmented();
    const entries = [sampleEntry(6, 1)];
    await directory.change('000003.rlog', (bytes) => {
      const record = new Uint8Array(recordBytes(payloadBytesOf(entries)));
      const fields = { kind: 1, firstIndex: 6, previousTerm: 1, commit: 0, durableLsn: 80 };
      encodeRecord(record, fields, entries, fileSeed(bytes));
      bytes.set(record, SECOND_RECORD);
      return bytes;
    });

    expect(await directory.outcome()).toBe('1/1 1/2 1/3 1/4 1/5, term 1, vote 2');
  });

  test('does not take over records of another segment', async () => {
    const directory = await segmented();
    const other = await directory.read('000002.rlog');
    await directory.change('000003.rlog', (bytes) => {
      bytes.set(other.subarray(96, 96 + 80), 96);
      return bytes;
    });

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION 000003.rlog:96');
  });
});

describe('a record that verifies', () => {
  /** The log of `threeRecords`, and a fourth record that nobody would write. */
  async function withRecord(
    fields: {
      readonly firstIndex: number;
      readonly previousTerm: number;
      readonly kind?: number;
      readonly durableLsn?: number;
    },
    entries = [sampleEntry(4, 1)],
  ): Promise<string> {
    const directory = await killed();
    await directory.change(FIRST, (bytes) => {
      const record = new Uint8Array(recordBytes(payloadBytesOf(entries)));
      encodeRecord(record, { kind: 1, commit: 0, durableLsn: 0, ...fields }, entries, fileSeed(bytes));
      return new Uint8Array([...bytes.subarray(0, END), ...record]);
    });
    return directory.outcome();
  }

  const refused = `KAYA_RAFT_CORRUPTION ${FIRST}:${END}`;

  test('is taken when it fits', async () => {
    const outcome = await withRecord({ firstIndex: 4, previousTerm: 1 });

    expect(outcome).toBe('1/1 1/2 1/3 1/4, term 1, vote 2');
  });

  test.each([
    ['leaves a gap', { firstIndex: 5, previousTerm: 1 }, [sampleEntry(5, 1)]],
    ['begins at 0', { firstIndex: 0, previousTerm: 0 }, [sampleEntry(0, 1)]],
    ['follows another term', { firstIndex: 4, previousTerm: 0 }, [sampleEntry(4, 1)]],
    ['has terms that go down', { firstIndex: 3, previousTerm: 1 }, [sampleEntry(3, 1), sampleEntry(4, 0)]],
    ['has entries of other indexes', { firstIndex: 4, previousTerm: 1 }, [sampleEntry(3, 1)]],
    ['vouches for what comes after it', { firstIndex: 4, previousTerm: 1, durableLsn: 5000 }, [sampleEntry(4, 1)]],
    ['vouches for half a record', { firstIndex: 4, previousTerm: 1, durableLsn: 200 }, [sampleEntry(4, 1)]],
  ])('is refused when it %s', async (_what, fields, entries) => {
    const outcome = await withRecord(fields, entries);

    expect(outcome).toMatch(new RegExp(`^KAYA_RAFT_CORRUPTION ${FIRST}:`, 'u'));
  });

  test('is refused where it stands', async () => {
    const outcome = await withRecord({ firstIndex: 9, previousTerm: 1 });

    expect(outcome).toBe(refused);
  });

  test('of an unknown kind was written by a newer version', async () => {
    const outcome = await withRecord({ firstIndex: 4, previousTerm: 1, kind: 3 });

    expect(outcome).toBe('KAYA_RAFT_UNSUPPORTED');
  });

  test('with an entry of a later term than the node ever had is refused: term and vote were lost', async () => {
    const outcome = await withRecord({ firstIndex: 4, previousTerm: 1 }, [sampleEntry(4, 2)]);

    expect(outcome).toBe('KAYA_RAFT_CORRUPTION raft-state:4096');
  });
});

describe('an earlier segment', () => {
  test('opens when all are whole', async () => {
    const directory = await segmented();

    expect((await directory.names()).filter((name) => name.endsWith('.rlog'))).toEqual([
      FIRST,
      '000002.rlog',
      '000003.rlog',
    ]);
    expect(await directory.outcome()).toBe(SEGMENTED);
  });

  test('is refused when its first record is damaged', async () => {
    const directory = await segmented();
    await directory.flip(FIRST, 96 + 60);

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:96`);
  });

  test('is refused when its last record is damaged, whatever no record says: it was synced before the next was begun', async () => {
    const directory = await segmented();
    await directory.flip('000002.rlog', 176 + 60);

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION 000002.rlog:176');
  });

  test('is refused when it is damaged, though a snapshot stands for what was in it', async () => {
    const directory = new RaftDirectory({ segmentBytes: 200 });
    const batches = sampleEntries(1, 6, 1).map((entry) => ({ entries: [entry] }));
    const storage = await directory.build([{ hardState: vote(1, 2) }, ...batches]);
    await storage.saveSnapshot(sampleSnapshot(4, 1));
    await directory.flip(FIRST, 96 + 60);

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:96`);
  });

  test('is refused when it is empty', async () => {
    const directory = await segmented();
    await directory.cut('000002.rlog', 0);

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION 000002.rlog:0');
  });

  test('is refused when its header is damaged', async () => {
    const directory = await segmented();
    await directory.flip('000002.rlog', 60);

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION 000002.rlog:0');
  });

  test('is refused when it was renamed', async () => {
    const directory = await segmented();
    await directory.rename('000003.rlog', '000004.rlog');

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION 000004.rlog:0');
  });

  test.each([['1.rlog'], ['0000002.rlog'], ['abc.rlog'], ['000002.rlog.old'], ['notes.txt']])(
    'has no name like %s: such a file is left alone',
    async (name) => {
      const directory = await segmented();
      await directory.replace(name, Uint8Array.of(1, 2, 3));

      expect(await directory.outcome()).toBe(SEGMENTED);
      expect(await directory.names()).toContain(name);
    },
  );

  test('is refused when it says another first index than the log before it has', async () => {
    const directory = await segmented();
    await directory.change(
      '000003.rlog',
      reseal((bytes) => writeU64(bytes, 64, 4)),
    );

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION 000003.rlog:0');
  });

  test('is refused when it begins before the first entry', async () => {
    const directory = await segmented();
    await directory.change(
      FIRST,
      reseal((bytes) => writeU64(bytes, 64, 0)),
    );

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:0`);
  });

  test('is refused when it begins before the one before it', async () => {
    const directory = await segmented();
    await directory.change(
      '000003.rlog',
      reseal((bytes) => writeU64(bytes, 56, 8)),
    );

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION 000003.rlog:0');
  });

  test('that is missing is refused when no snapshot stands for what was in it', async () => {
    const directory = await segmented();
    await directory.remove('000002.rlog');

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:256`);
  });

  test('that is missing at the beginning is refused when no snapshot stands for what was in it', async () => {
    const directory = await segmented();
    await directory.remove(FIRST);

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION 000002.rlog:0');
  });

  test('that is missing with all before the last is no harm when a snapshot stands for what was in them', async () => {
    const directory = new RaftDirectory({ segmentBytes: 200 });
    const batches = sampleEntries(1, 6, 1).map((entry) => ({ entries: [entry] }));
    const storage = await directory.build([{ hardState: vote(1, 2) }, ...batches]);
    await storage.saveSnapshot(sampleSnapshot(4, 1));
    await directory.remove(FIRST);
    await directory.remove('000002.rlog');

    expect(await directory.outcome()).toBe('1/5 1/6, term 1, vote 2');
  });

  test('that is missing is no harm when a snapshot stands for what was in it', async () => {
    const directory = new RaftDirectory({ segmentBytes: 200 });
    const batches = sampleEntries(1, 6, 1).map((entry) => ({ entries: [entry] }));
    const storage = await directory.build([{ hardState: vote(1, 2) }, ...batches]);
    await storage.saveSnapshot(sampleSnapshot(4, 1));
    await directory.remove('000002.rlog');

    expect(await directory.outcome()).toBe('1/5 1/6, term 1, vote 2');
    expect(await directory.names()).not.toContain(FIRST);
  });

  test('may overlap the snapshot', async () => {
    const directory = new RaftDirectory({ segmentBytes: 200 });
    const batches = sampleEntries(1, 6, 1).map((entry) => ({ entries: [entry] }));
    const storage = await directory.build([{ hardState: vote(1, 2) }, ...batches]);
    await storage.saveSnapshot(sampleSnapshot(3, 1));
    await storage.compact(3);

    expect(await directory.outcome()).toBe('1/3 1/4 1/5 1/6, term 1, vote 2');
  });

  test('that is missing with all others is refused', async () => {
    const directory = await segmented();
    for (const name of [FIRST, '000002.rlog', '000003.rlog']) await directory.remove(name);

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION ${FIRST}:0`);
  });
});

describe('the snapshot', () => {
  async function withSnapshot(): Promise<RaftDirectory> {
    const directory = new RaftDirectory();
    const storage = await directory.build(threeRecords);
    await storage.saveSnapshot(sampleSnapshot(2, 1));
    await storage.close();
    return directory;
  }

  test('is refused when it is empty', async () => {
    const directory = await withSnapshot();
    await directory.cut('raft-snapshot.bin', 0);

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-snapshot.bin:0');
  });

  test.each([[4], [60], [96], [104], [112], [116], [121], [140]])(
    'is refused when byte %i is flipped',
    async (byte) => {
      const directory = await withSnapshot();
      await directory.flip('raft-snapshot.bin', byte);

      expect(await directory.outcome()).toMatch(/^KAYA_RAFT_CORRUPTION raft-snapshot.bin:(0|96)$/u);
    },
  );

  test('is refused when it is cut, or longer than it should be', async () => {
    const outcomes: string[] = [];
    for (const change of [-1, -5, 1]) {
      const directory = await withSnapshot();
      await directory.change('raft-snapshot.bin', (bytes) => {
        const other = new Uint8Array(bytes.length + change);
        other.set(bytes.subarray(0, other.length));
        return other;
      });
      outcomes.push(await directory.outcome());
    }

    expect(outcomes).toEqual(Array.from({ length: 3 }, () => 'KAYA_RAFT_CORRUPTION raft-snapshot.bin:96'));
  });

  test('is removed when it was never finished', async () => {
    const directory = await closed();
    await directory.replace('raft-snapshot.bin.tmp', Uint8Array.of(1, 2, 3));

    expect(await directory.outcome()).toBe(WHOLE);
    expect(await directory.names()).not.toContain('raft-snapshot.bin.tmp');
  });

  test('is refused without term and vote', async () => {
    const directory = await withSnapshot();
    await directory.remove('raft-state');

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:0');
  });

  test('of a later term than the node ever had is refused: term and vote were lost', async () => {
    const directory = new RaftDirectory();
    await directory.build([{ hardState: vote(3), snapshot: sampleSnapshot(20, 3) }]);
    const older = new RaftDirectory();
    await older.build([{ hardState: vote(2, 1) }]);
    await directory.replace('raft-state', await older.read('raft-state'));

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:4096');
  });

  test('of a later term than the node ever had is refused where the log knows nothing of it', async () => {
    const directory = await killed();
    const other = new RaftDirectory();
    await other.build([{ hardState: vote(3), snapshot: sampleSnapshot(20, 3) }]);
    await directory.replace('raft-snapshot.bin', await other.read('raft-snapshot.bin'));

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:4096');
  });

  test('is refused when its header has fields of a segment', async () => {
    const directory = await withSnapshot();
    await directory.change(
      'raft-snapshot.bin',
      reseal((bytes) => writeU64(bytes, 64, 1)),
    );

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-snapshot.bin:48');
  });

  test('that is missing is refused when the log begins behind it', async () => {
    const directory = new RaftDirectory();
    await directory.build([{ hardState: vote(3), snapshot: sampleSnapshot(20, 2) }]);
    await directory.remove('raft-snapshot.bin');

    expect(await directory.outcome()).toMatch(/^KAYA_RAFT_CORRUPTION 00000\d.rlog:\d+$/u);
  });
});

describe('term and vote', () => {
  const seed = fileSeed(encodeFileHeader(STATE_MAGIC, IDENTITY));
  const setSlot =
    (slot: number, state: VersionedVote) =>
    (bytes: Uint8Array): Uint8Array => {
      bytes.set(encodeSlot(slot, state, seed), slotOffset(slot));
      return bytes;
    };

  test.each([[0], [1]])('survive damage to slot %i', async (slot) => {
    const directory = await closed();
    await directory.flip('raft-state', slotOffset(slot) + 20);

    expect(await directory.outcome()).toBe(WHOLE);
  });

  test('are refused when both slots are damaged', async () => {
    const directory = await closed();
    await directory.flip('raft-state', slotOffset(0) + 20);
    await directory.flip('raft-state', slotOffset(1) + STATE_SLOT_BYTES - 1);

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:4096');
  });

  test('are those of the newer slot', async () => {
    const directory = await closed();
    await directory.change('raft-state', setSlot(1, { version: 99, term: 7, vote: 1 }));

    expect(await directory.outcome()).toBe('1/1 1/2 1/3, term 7, vote 1');
  });

  test('are refused when two slots of one version say different things', async () => {
    const directory = await closed();
    await directory.change('raft-state', setSlot(0, { version: 9, term: 7, vote: 1 }));
    await directory.change('raft-state', setSlot(1, { version: 9, term: 7, vote: 2 }));

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:4096');
  });

  test('are refused when the term goes back', async () => {
    const directory = await closed();
    await directory.change('raft-state', setSlot(0, { version: 8, term: 9, vote: 1 }));
    await directory.change('raft-state', setSlot(1, { version: 9, term: 8, vote: 2 }));

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:8192');
  });

  test('are refused when a slot is that of the other', async () => {
    const directory = await closed();
    await directory.change('raft-state', (bytes) => {
      bytes.copyWithin(slotOffset(1), slotOffset(0), slotOffset(0) + STATE_SLOT_BYTES);
      return bytes;
    });

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:8192');
  });

  test.each([[0], [95], [4096], [8200], [12_287]])('are refused when the file has %i bytes only', async (bytes) => {
    const directory = await closed();
    await directory.cut('raft-state', bytes);

    expect(await directory.outcome()).toBe(`KAYA_RAFT_CORRUPTION raft-state:${bytes < 96 ? 0 : bytes}`);
  });

  test('are refused in a format or a version that is not known', async () => {
    const directory = await closed();
    await directory.change(
      'raft-state',
      reseal((bytes) => writeU16(bytes, 8, 2)),
    );
    const outcome = await directory.outcome();
    await directory.flip('raft-state', 0);

    expect([outcome, await directory.outcome()]).toEqual([
      'KAYA_RAFT_UNSUPPORTED',
      'KAYA_RAFT_CORRUPTION raft-state:0',
    ]);
  });

  test('are refused when their header has fields of a segment', async () => {
    const directory = await closed();
    await directory.change(
      'raft-state',
      reseal((bytes) => writeU64(bytes, 48, 1)),
    );

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:48');
  });

  test('are refused when the file is missing and the log is not', async () => {
    const directory = await closed();
    await directory.remove('raft-state');

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:0');
  });

  test('are refused when the file is missing and the log is empty: somebody may have been voted for', async () => {
    const directory = new RaftDirectory();
    await directory.build([{ hardState: vote(1, 2) }]);
    await directory.remove('raft-state');

    expect(await directory.outcome()).toBe('KAYA_RAFT_CORRUPTION raft-state:0');
  });

  test.each([
    [vote(0), 'empty behind 0, term 0, vote 0'],
    [vote(1, 2), `KAYA_RAFT_CORRUPTION ${FIRST}:0`],
  ])(
    '%j, with nothing else there, are what is left of a new directory, or the log was lost',
    async (hardState, text) => {
      const directory = new RaftDirectory();
      await directory.build([{ hardState }]);
      await directory.remove(FIRST);

      expect(await directory.outcome()).toBe(text);
    },
  );
});

describe('a directory', () => {
  test.each([
    ['another cluster', { clusterId: new Uint8Array(16).fill(8) }],
    ['another node', { nodeId: 4 }],
    ['another incarnation', { incarnation: 13 }],
  ])('of %s is refused', async (_whose, identity) => {
    const directory = await closed();

    const outcome = await directory.outcome({ identity: { ...IDENTITY, ...identity } });

    expect(outcome).toBe('KAYA_RAFT_FOREIGN');
  });

  test.each([[FIRST], ['raft-snapshot.bin'], ['raft-state']])('with a foreign %s is refused', async (name) => {
    const directory = await closed();
    const foreign = new RaftDirectory({ identity: { ...IDENTITY, incarnation: 13 } });
    const storage = await foreign.build(threeRecords);
    await storage.saveSnapshot(sampleSnapshot(2, 1));
    await directory.replace(name, await foreign.read(name));

    expect(await directory.outcome()).toBe('KAYA_RAFT_FOREIGN');
  });

  test.each([[FIRST], ['raft-state'], ['raft-snapshot.bin']])(
    'whose %s nobody may read is refused, and nothing is changed',
    async (name) => {
      const directory = await closed();
      const before = await directory.names();
      const fs = new FaultyFileSystem(directory.fs, [
        {
          at: 1,
          kinds: ['open', 'readFile'],
          matchesPath: (path) => path.endsWith(name),
          effect: { kind: 'fail', errno: 'EACCES' },
        },
      ]);

      expect(await directory.outcome({ fs })).toBe('KAYA_FS_PERMISSION');
      expect(await directory.names()).toEqual(before);
    },
  );

  test('that is refused is left as it was', async () => {
    const directory = await segmented();
    await directory.flip('000002.rlog', 176 + 60);
    await directory.replace('next.rlog.tmp', Uint8Array.of(1));
    const before = await directory.names();

    await directory.outcome();

    expect(await directory.names()).toEqual(before);
  });
});
