/** Disks that refuse: read-only and full. Small disks of their own (tmpfs) show it with the real error codes. */

import { rmSync, statfsSync, writeFileSync } from 'node:fs';

import { type Client, ClientError } from '@kayadb/client';
import { describe, expect, test } from 'vitest';

import { kayactl, type ProcessResult, runKayactl } from './support/processes.ts';
import { dryRun, dryRunNode } from './support/recovery.ts';
import { ServerProcess } from './support/server-process.ts';
import { mountingIsRefused, mountSmallDisk, type SmallDisk } from './support/tmpfs.ts';

const MIB = 1024 * 1024;
/** Puts are refused while less is free. A start gives back the zeros that the log was filled with ahead, so it may take some more puts. */
const LOW = ['--disk-low-bytes', String(4 * MIB)];

describe('a disk that is mounted read-only (skipped where mounting is refused)', { timeout: 60_000 }, () => {
  test.skipIf(mountingIsRefused)('keeps a node from starting, with a sentence, and loses nothing', async () => {
    using disk = mountSmallDisk(8);
    await using node = await ServerProcess.start(disk.at('data'));
    await kayactl('--server', node.address, 'put', 'k', 'v');
    await node.stop();
    disk.makeReadOnly();

    const readBack = await kayactl('--data', disk.at('data'), 'get', 'k');
    const looked = await dryRunNode(disk.at('data'));
    const existing = await ServerProcess.startAndFail(disk.at('data'));
    const fresh = await ServerProcess.startAndFail(disk.at('new'));
    disk.makeWritable();

    for (const { exitCode, stderr } of [existing, fresh]) {
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^ERROR: .* permission denied; .*not mounted read-only\nHINT: .*$/m);
    }
    expect(readBack).toBe('v\n');
    expect({ exitCode: looked.exitCode, verdict: looked.report.verdict }).toEqual({ exitCode: 0, verdict: 'clean' });
    expect(await kayactl('--data', disk.at('data'), 'get', 'k')).toBe('v\n');
  });

  test.skipIf(mountingIsRefused)('makes kayactl end with 1 and a hint, but can be inspected', async () => {
    using disk = mountSmallDisk(4);
    await kayactl('--data', disk.at('data'), 'put', 'k', 'v');
    disk.makeReadOnly();

    const put = await runKayactl(['--data', disk.at('data'), 'put', 'k', 'other', '--json']);
    const { exitCode, report } = await dryRun(disk.at('data'));

    expect(put.exitCode).toBe(1);
    expect(JSON.parse(put.stderr)).toMatchObject({ error: { code: 'KAYA_FS_PERMISSION', hint: expect.any(String) } });
    expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 0, verdict: 'clean' });
  });
});

describe('a disk that is full (skipped where mounting is refused)', { timeout: 120_000 }, () => {
  test.skipIf(mountingIsRefused)(
    'refuses writes, serves reads, and takes writes again when there is space',
    async () => {
      using disk = mountSmallDisk(48);
      writeFileSync(disk.at('filler'), Buffer.alloc(28 * MIB, 1));
      await using node = await ServerProcess.start(disk.at('data'), { flags: LOW });
      await using client = node.connect();

      const before = await putUntilRefused(client, 'before');
      const readBack = await countIntact(client, before.acknowledged);
      const [again, more] = await fillFurther(node, client);
      const isRunning = node.isRunning;
      rmSync(disk.at('filler'));
      await untilPutsAreTaken(client);
      const after = await putSome(client, 'after', 20);
      await node.kill();
      const { exitCode, report } = await dryRunNode(disk.at('data'));
      await using restarted = await ServerProcess.start(disk.at('data'));
      await using secondClient = restarted.connect();
      const acknowledged = [...before.acknowledged, ...more, ...after];
      const kept = await countIntact(secondClient, acknowledged);

      expect(before.acknowledged.length).toBeGreaterThan(50);
      expect(before.refusal).toMatchObject({
        code: 'KAYA_DISK_FULL',
        message: expect.stringMatching(/free some space/),
      });
      expect(readBack).toBe(before.acknowledged.length);
      expect(again).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/^ERROR: .* disk is (?:nearly )?full.*free some space.*\nHINT: .*$/m),
      });
      expect(isRunning).toBe(true);
      expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 0, verdict: 'clean' });
      expect(kept).toBe(acknowledged.length);
      console.info(
        `full disk: ${before.acknowledged.length} records acknowledged until KAYA_DISK_FULL, ${readBack} readable while ` +
          `full, ${after.length} written after space was freed, ${kept} of ${acknowledged.length} there after kill -9`,
      );
    },
  );

  test.skipIf(mountingIsRefused)(
    'keeps what is in the log while a table has no room, and writes the table later',
    async () => {
      // The log of one memtable fits, in segments of 16 MiB with a spare one, and the table that it becomes does not fit beside it.
      using disk = mountSmallDisk(160);
      writeFileSync(disk.at('filler'), Buffer.alloc(80 * MIB, 1));
      await using node = await ServerProcess.start(disk.at('data'), { flags: ['--disk-low-bytes', String(MIB)] });
      await using client = node.connect();

      const before = await putUntilRefused(client, 'before');
      const readBack = await countIntact(client, before.acknowledged);
      rmSync(disk.at('filler'));
      await untilPutsAreTaken(client);
      const after = await putSome(client, 'after', 20);
      const stopped = await node.stop();
      const { exitCode, report } = await dryRunNode(disk.at('data'));
      await using restarted = await ServerProcess.start(disk.at('data'));
      await using secondClient = restarted.connect();
      const kept = await countIntact(secondClient, [...before.acknowledged, ...after]);

      expect(before.acknowledged.length * VALUE_BYTES).toBeGreaterThan(32 * MIB);
      expect(before.refusal.code).toBe('KAYA_DISK_FULL');
      expect(readBack).toBe(before.acknowledged.length);
      expect(node.log.filter(({ msg }) => msg.startsWith('flush stopped')).length).toBeGreaterThan(0);
      expect(stopped.exitCode).toBe(0);
      expect({ exitCode, verdict: report.verdict, replayed: report.start.entriesReplayed }).toEqual({
        exitCode: 0,
        verdict: 'clean',
        replayed: 0,
      });
      expect(kept).toBe(before.acknowledged.length + after.length);
    },
  );
});

describe(
  'a disk that is still full when the node comes back (skipped where mounting is refused)',
  { timeout: 120_000 },
  () => {
    test.skipIf(mountingIsRefused)(
      'lets the node start and serve reads, and take writes again when there is space',
      async () => {
        using disk = mountSmallDisk(32);
        writeFileSync(disk.at('filler'), Buffer.alloc(12 * MIB, 1));
        await using node = await ServerProcess.start(disk.at('data'), { flags: LOW });
        await using client = node.connect();
        const { acknowledged } = await putUntilRefused(client, 'k');
        await node.kill();

        const { exitCode, report } = await dryRunNode(disk.at('data'));
        await using restarted = await ServerProcess.start(disk.at('data'), { flags: LOW });
        await using secondClient = restarted.connect();
        const kept = await countIntact(secondClient, acknowledged);
        const late = await putUntilRefused(secondClient, 'late');
        rmSync(disk.at('filler'));
        await untilPutsAreTaken(secondClient);

        expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 0, verdict: 'clean' });
        expect(acknowledged.length).toBeGreaterThan(50);
        expect(kept).toBe(acknowledged.length);
        expect(late.refusal.code).toBe('KAYA_DISK_FULL');
      },
    );

    test.skipIf(mountingIsRefused)(
      'keeps the node from starting while not one block is free, and loses nothing',
      async () => {
        using disk = mountSmallDisk(32);
        writeFileSync(disk.at('filler'), Buffer.alloc(12 * MIB, 1));
        await using node = await ServerProcess.start(disk.at('data'));
        await using client = node.connect();
        const { acknowledged } = await putUntilRefused(client, 'k');
        await node.kill();
        fill(disk);

        const refused = await ServerProcess.startAndFail(disk.at('data'));
        const { exitCode, report } = await dryRunNode(disk.at('data'));
        rmSync(disk.at('rest'));
        rmSync(disk.at('filler'));
        await using restarted = await ServerProcess.start(disk.at('data'));
        await using secondClient = restarted.connect();
        const kept = await countIntact(secondClient, acknowledged);

        expect(refused).toEqual({
          exitCode: 1,
          stderr: expect.stringMatching(
            /^ERROR: .*no space is left.*free some.*\nHINT: free some space and start again.*$/m,
          ),
        });
        expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 0, verdict: 'clean' });
        expect(kept).toBe(acknowledged.length);
      },
    );
  },
);

describe('a disk with a reserve (skipped where mounting is refused)', { timeout: 120_000 }, () => {
  test.skipIf(mountingIsRefused)(
    'lets a full node delete, and lets a killed one start again though nothing was freed',
    async () => {
      using disk = mountSmallDisk(48);
      const flags = ['--disk-reserve-bytes', String(14 * MIB), ...LOW];
      await using node = await ServerProcess.start(disk.at('data'), { flags });
      await using client = node.connect();
      await untilReserved(client, 14 * MIB);
      writeFileSync(disk.at('filler'), Buffer.alloc(14 * MIB, 1));
      const { acknowledged } = await putUntilRefused(client, 'k');
      await client.delete(acknowledged[0]!);
      // A table that was written from memory may have let a piece of the log go.
      const { acknowledged: more, refusal } = await putUntilRefused(client, 'more');
      await node.kill();

      await using restarted = await ServerProcess.start(disk.at('data'), { flags });
      await using secondClient = restarted.connect();
      const kept = await countIntact(secondClient, [...acknowledged, ...more]);
      const late = await putUntilRefused(secondClient, 'late');
      rmSync(disk.at('filler'));
      await untilPutsAreTaken(secondClient);

      expect(acknowledged.length).toBeGreaterThan(50);
      expect([refusal.code, late.refusal.code]).toEqual(['KAYA_DISK_FULL', 'KAYA_DISK_FULL']);
      expect(kept).toBe(acknowledged.length + more.length - 1);
    },
  );
});

const VALUE_BYTES = 100_000;

/** Takes all the space that is left, to the last block. */
function fill(disk: SmallDisk): void {
  const { bavail, bsize } = statfsSync(disk.path);
  writeFileSync(disk.at('rest'), Buffer.alloc(bavail * bsize, 1));
}

/** @returns Why it was refused, if it was. */
async function putOnce(client: Client, key: string, value: string | Buffer = 'v'): Promise<ClientError | undefined> {
  try {
    await client.put(key, value);
    return undefined;
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
}

/** Writes one record after the other, until the node refuses one. */
async function putUntilRefused(
  client: Client,
  prefix: string,
): Promise<{ readonly acknowledged: readonly string[]; readonly refusal: ClientError }> {
  const acknowledged: string[] = [];
  for (;;) {
    const key = `${prefix}/${acknowledged.length}`;
    const refusal = await putOnce(client, key, valueOf(key));
    if (refusal !== undefined) return { acknowledged, refusal };
    acknowledged.push(key);
  }
}

/** Writes until another client is refused, too: a log that gives back the zeros that it was filled with ahead makes room for some more. */
async function fillFurther(
  node: ServerProcess,
  client: Client,
): Promise<readonly [again: ProcessResult, acknowledged: readonly string[]]> {
  const acknowledged: string[] = [];
  for (let round = 0; ; round++) {
    const again = await runKayactl(['--server', node.address, 'put', 'large', 'v'.repeat(VALUE_BYTES)]);
    if (again.exitCode !== 0) return [again, acknowledged];
    acknowledged.push(...(await putUntilRefused(client, `more-${round}`)).acknowledged);
  }
}

async function untilReserved(client: Client, bytes: number): Promise<void> {
  for (;;) {
    const { engine } = (await client.stats()) as { readonly engine: { readonly disk_reserve_bytes: number } };
    if (engine.disk_reserve_bytes === bytes) return;
  }
}

/** A node looks at its disk when it refuses, and once a second. */
async function untilPutsAreTaken(client: Client): Promise<void> {
  for (;;) {
    const refusal = await putOnce(client, 'probe');
    if (refusal === undefined) return;
    if (refusal.code !== 'KAYA_DISK_FULL') throw refusal;
  }
}

/** @returns The keys, all acknowledged. */
async function putSome(client: Client, prefix: string, count: number): Promise<readonly string[]> {
  const keys = Array.from({ length: count }, (_, i) => `${prefix}/${i}`);
  for (const key of keys) await client.put(key, valueOf(key));
  return keys;
}

async function countIntact(client: Client, keys: readonly string[]): Promise<number> {
  let count = 0;
  for (const key of keys) {
    const value = await client.get(key);
    if (value !== undefined && Buffer.from(value).equals(valueOf(key))) count++;
  }
  return count;
}

/** Large enough to fill a disk soon, and not compressible. */
function valueOf(key: string): Buffer {
  let state = Buffer.from(key).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
  const value = Buffer.alloc(VALUE_BYTES);
  for (let i = 0; i < VALUE_BYTES; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    value.writeUInt32LE(state, i);
  }
  return value;
}
