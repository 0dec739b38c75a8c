import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { InterceptedFileSystem, type MemoryFileSystem, TraceFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import { abandonedStore, flip, manifestName, namesEnding, twoSegmentStore } from '../../test/support/evidence.ts';
import { DIRECTORY } from '../../test/support/open-test-engine.ts';
import { EvidenceView } from './evidence-view.ts';

async function capture(disk: MemoryFileSystem): Promise<EvidenceView> {
  const view = await EvidenceView.capture(disk, DIRECTORY);
  expect(view).toBeDefined();
  return view!;
}

describe('EvidenceView', () => {
  test('does not see what is appended, swapped or removed after it was captured', async () => {
    const disk = await abandonedStore();
    const [wal] = await namesEnding(disk, '.wal');
    const before = {
      names: (await disk.readDirectory(DIRECTORY)).map(({ name }) => name),
      wal: await disk.readFile(`${DIRECTORY}/${wal}`),
      current: await disk.readFile(`${DIRECTORY}/CURRENT`),
    };
    const view = await capture(disk);

    const handle = await disk.open(`${DIRECTORY}/${wal}`, 'write');
    await handle.write(encodeUtf8('appended'), before.wal.length);
    await handle.close();
    await disk.unlink(`${DIRECTORY}/${wal}`);
    const next = await disk.open(`${DIRECTORY}/CURRENT.tmp`, 'create');
    await next.write(encodeUtf8('another'), 0);
    await next.close();
    await disk.rename(`${DIRECTORY}/CURRENT.tmp`, `${DIRECTORY}/CURRENT`);

    expect((await view.readDirectory(DIRECTORY)).map(({ name }) => name)).toEqual(before.names);
    expect(await view.readFile(`${DIRECTORY}/${wal}`)).toEqual(before.wal);
    expect((await view.stat(`${DIRECTORY}/${wal}`))!.bytes).toBe(before.wal.length);
    expect(decodeUtf8(await view.readFile(`${DIRECTORY}/CURRENT`))).toBe(decodeUtf8(before.current));
    await view.close();
  });

  test('reads no byte behind the captured size of a file that grows while it is read', async () => {
    const disk = await abandonedStore();
    const [wal] = await namesEnding(disk, '.wal');
    const view = await capture(disk);
    const captured = await view.open(`${DIRECTORY}/${wal}`, 'read');
    const bytes = await captured.size();

    const handle = await disk.open(`${DIRECTORY}/${wal}`, 'write');
    await handle.write(encodeUtf8('appended'), bytes);
    await handle.close();

    const buffer = new Uint8Array(bytes + 100);
    expect(await captured.read(buffer, 0)).toBe(bytes);
    expect(captured.readSync(buffer, bytes)).toBe(0);
    await view.close();
  });

  test('captures newer segments before older ones, so that no record vouches for what comes later', async () => {
    const disk = await twoSegmentStore();
    const [older, newer] = await namesEnding(disk, '.wal');
    const trace = new TraceFileSystem(disk, DIRECTORY, ['size']);

    const view = await EvidenceView.capture(trace, DIRECTORY);

    const sized = trace.lines.filter((line) => line.endsWith('.wal'));
    expect(sized).toEqual([`size ${newer}`, `size ${older}`]);
    await view!.close();
  });

  test.each(['CURRENT', 'MANIFEST'])('gives up when %s changes while it is being captured', async (prefix) => {
    const disk = await abandonedStore();
    const name = prefix === 'CURRENT' ? prefix : await manifestName(disk);
    let isMoving = true;
    const moving = new InterceptedFileSystem(disk, {
      call: async (operation, run) => {
        if (operation.kind === 'readDirectory' && isMoving) {
          isMoving = false;
          if (prefix === 'CURRENT') await flip(disk, name, 60);
          else {
            const handle = await disk.open(`${DIRECTORY}/${name}`, 'write');
            await handle.write(Uint8Array.of(1), await handle.size());
            await handle.close();
          }
        }
        return run();
      },
      callSync: (_operation, run) => run(),
    });

    const first = await EvidenceView.capture(moving, DIRECTORY);
    const second = await EvidenceView.capture(moving, DIRECTORY);

    expect(first).toBeUndefined();
    expect(second).toBeDefined();
    await second!.close();
  });

  test('refuses everything that would change something', async () => {
    const disk = await abandonedStore();
    const view = await capture(disk);
    const path = `${DIRECTORY}/CURRENT`;
    const handle = await view.open(path, 'read');

    const attempts = [
      view.open(path, 'write'),
      view.open(`${path}2`, 'create'),
      view.makeDirectory(`${path}2`),
      view.rename(path, `${path}2`),
      view.link(path, `${path}2`),
      view.unlink(path),
      view.removeDirectory(DIRECTORY),
      view.syncDirectory(DIRECTORY),
      handle.write(Uint8Array.of(1), 0),
      handle.sync(),
      handle.truncate(0),
    ];

    const outcomes = await Promise.allSettled(attempts);
    expect(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { errno: string }).errno : 'done')),
    ).toEqual(attempts.map(() => 'EROFS'));
    await view.close();
  });
});
