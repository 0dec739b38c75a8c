import { decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import { describe, expect, test } from 'vitest';

import { FileSystemError } from '../file-system-error.ts';
import type { FileSystem } from '../file-system.ts';
import {
  crashClones,
  FaultyFileSystem,
  fakeProcessWorld,
  InterceptedFileSystem,
  MemoryFileSystem,
  MUTATING_OPERATIONS,
  TraceFileSystem,
} from '../testing/index.ts';
import { acquireDirectoryLock, breakDirectoryLock, inspectDirectoryLock } from './directory-lock.ts';
import { DirectoryLockedError } from './directory-locked-error.ts';

async function openDirectory(): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  await fs.makeDirectory('/db');
  await fs.syncDirectory('/');
  return fs;
}

async function writeWhole(fs: FileSystem, path: string, text: string): Promise<void> {
  const handle = await fs.open(path, 'create');
  await handle.write(encodeUtf8(text), 0);
  await handle.close();
}

async function namesIn(fs: FileSystem, path: string): Promise<readonly string[]> {
  return (await fs.readDirectory(path)).map((entry) => entry.name);
}

async function refusal(promise: Promise<unknown>): Promise<DirectoryLockedError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DirectoryLockedError) return error;
  throw new Error(`expected a DirectoryLockedError, got ${String(error)}`);
}

/** Makes links, and reports that it did not. */
function linkingThenFailing(inner: FileSystem, errno: string): FileSystem {
  return new InterceptedFileSystem(inner, {
    call: async (operation, run) => {
      const result = await run();
      if (operation.kind === 'link') throw new FileSystemError(errno, 'link', operation.paths.join(' to '));
      return result;
    },
    callSync: (_operation, run) => run(),
  });
}

describe('acquireDirectoryLock', () => {
  test('leaves one file that says who holds it, and nothing after release', async () => {
    const fs = await openDirectory();
    const process = fakeProcessWorld().start();

    const lock = await acquireDirectoryLock(fs, '/db', process);

    expect(await namesIn(fs, '/db')).toEqual(['LOCK']);
    expect(JSON.parse(decodeUtf8(await fs.readFile('/db/LOCK')))).toEqual({
      format: 1,
      token: lock.owner.token,
      takenAt: lock.owner.takenAt,
      ...process.self(),
    });
    expect(lock.tookOverFrom).toBeUndefined();
    await Promise.all([lock.release(), lock.release()]);
    await lock.release();
    expect(await namesIn(fs, '/db')).toEqual([]);
  });

  test('writes the owner durably before the name appears', async () => {
    const trace = new TraceFileSystem(await openDirectory(), '/db', MUTATING_OPERATIONS);

    const lock = await acquireDirectoryLock(trace, '/db', fakeProcessWorld().start());

    const bytes = (await trace.readFile('/db/LOCK')).length;
    const temporary = `LOCK.${lock.owner.token}.tmp`;
    expect(trace.lines).toEqual([
      `create ${temporary}`,
      `write ${temporary} 0+${bytes}`,
      `sync ${temporary}`,
      `link ${temporary} LOCK`,
      `unlink ${temporary}`,
    ]);
  });

  test('refuses a second process and says who holds it', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const lock = await acquireDirectoryLock(fs, '/db', world.start());

    const error = await refusal(acquireDirectoryLock(fs, '/db', world.start()));

    expect(error).toMatchObject({ code: 'KAYA_LOCKED', path: '/db/LOCK', owner: lock.owner, liveness: 'alive' });
    expect(error.message).toMatch(/held by process 1 on host test-host since .*; stop that process/);
    expect(await namesIn(fs, '/db')).toEqual(['LOCK']);
  });

  test('refuses the same process a second time, until it has released', async () => {
    const fs = await openDirectory();
    const process = fakeProcessWorld().start();
    const first = await acquireDirectoryLock(fs, '/db', process);

    await refusal(acquireDirectoryLock(fs, '/db', process));
    await first.release();
    const second = await acquireDirectoryLock(fs, '/db', process);
    await first.release();

    expect(second.owner.token).not.toBe(first.owner.token);
    expect(await namesIn(fs, '/db')).toEqual(['LOCK']);
  });

  test('takes over from a dead owner, says from whom, and tidies up', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const dead = world.start();
    const stale = await acquireDirectoryLock(fs, '/db', dead);
    dead.kill();
    await writeWhole(fs, '/db/LOCK.takeover-left', 'by a taker that died');
    await writeWhole(fs, '/db/LOCK.abandoned.tmp', '');
    await writeWhole(fs, '/db/LOCKED', 'not ours');

    const lock = await acquireDirectoryLock(fs, '/db', world.start());

    expect(lock.tookOverFrom).toEqual(stale.owner);
    expect(await namesIn(fs, '/db')).toEqual(['LOCK', 'LOCKED']);
  });

  test('takes over from takers that died one upon the other', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const owners: string[] = [];
    let path = '/db/LOCK';
    for (let died = 0; died < 4; died++) {
      const process = world.start();
      const token = `dead-${died}`;
      const owner = { format: 1, token, takenAt: '', ...process.self() };
      await writeWhole(fs, path, JSON.stringify(owner));
      process.kill();
      owners.push(token);
      path = `/db/LOCK.takeover-${token}`;
    }

    const lock = await acquireDirectoryLock(fs, '/db', world.start());

    expect(lock.tookOverFrom?.token).toBe('dead-0');
    expect(await namesIn(fs, '/db')).toEqual(['LOCK']);
  });

  test('refuses while a living process takes over', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const dead = world.start();
    const { owner } = await acquireDirectoryLock(fs, '/db', dead);
    dead.kill();
    const taker = { format: 1, token: 'taker', takenAt: '', ...world.start().self() };
    await writeWhole(fs, `/db/LOCK.takeover-${owner.token}`, JSON.stringify(taker));

    const error = await refusal(acquireDirectoryLock(fs, '/db', world.start()));

    expect(error).toMatchObject({ path: `/db/LOCK.takeover-${owner.token}`, owner: { token: 'taker' } });
  });

  test.each([{ host: 'elsewhere' }, { pidNamespace: 'pid:[2]' }])(
    'refuses when the owner cannot be seen from here: %o',
    async (where) => {
      const fs = await openDirectory();
      const world = fakeProcessWorld();
      const unseen = world.start(where);
      const { owner } = await acquireDirectoryLock(fs, '/db', unseen);
      unseen.kill();

      const error = await refusal(acquireDirectoryLock(fs, '/db', world.start()));

      expect(error).toMatchObject({ liveness: 'unknown', owner });
      expect(error.message).toContain(`kayactl --data /db unlock --token ${owner.token}`);
    },
  );

  test.each(['', 'garbage', '{"format":2}', '{"format":1,"token":"../x","pid":1}', 'x'.repeat(5000)])(
    'refuses a lock file that is none, and never removes it: %#',
    async (content) => {
      const fs = await openDirectory();
      await writeWhole(fs, '/db/LOCK', content);

      const error = await refusal(acquireDirectoryLock(fs, '/db', fakeProcessWorld().start()));

      expect(error).toMatchObject({ code: 'KAYA_LOCKED', liveness: 'unknown', owner: undefined });
      expect(error.message).toContain('/db/LOCK exists but is not a readable lock file');
      expect(error.message).toContain('kayactl --data /db unlock --token unreadable');
      expect(decodeUtf8(await fs.readFile('/db/LOCK'))).toBe(content);
    },
  );

  test('can always be taken again after power loss, whatever the moment', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const clones: MemoryFileSystem[] = [];
    fs.afterEachMutation(() => clones.push(...crashClones(fs, () => 0.3).map(({ disk }) => disk)));

    const lock = await acquireDirectoryLock(fs, '/db', world.start());
    await lock.release();

    expect(clones.length).toBeGreaterThan(30);
    for (const clone of clones) {
      const next = await acquireDirectoryLock(clone, '/db', world.start({ bootId: 'boot-2' }));
      expect(await namesIn(clone, '/db')).toEqual(['LOCK']);
      await next.release();
    }
  });

  test('leaves nothing behind when a step fails, and can be tried again', async () => {
    for (let at = 1; at <= 12; at++) {
      const disk = await openDirectory();
      const process = fakeProcessWorld().start();
      const fs = new FaultyFileSystem(disk, [{ at, effect: { kind: 'fail', errno: 'ENOSPC' } }]);

      const lock = await acquireDirectoryLock(fs, '/db', process).catch(() => undefined);
      fs.heal();
      await lock?.release().catch(() => lock.release());

      const next = await acquireDirectoryLock(disk, '/db', process);
      expect(await namesIn(disk, '/db')).toEqual(['LOCK']);
      await next.release();
    }
  });

  test('recognises its own link when the answer to linking was lost and asked for again', async () => {
    const disk = await openDirectory();

    const lock = await acquireDirectoryLock(linkingThenFailing(disk, 'EEXIST'), '/db', fakeProcessWorld().start());

    expect(JSON.parse(decodeUtf8(await disk.readFile('/db/LOCK')))).toMatchObject({ token: lock.owner.token });
  });

  test('leaves no lock behind when linking failed and was done all the same', async () => {
    const disk = await openDirectory();
    const fs = linkingThenFailing(disk, 'EIO');

    await expect(acquireDirectoryLock(fs, '/db', fakeProcessWorld().start())).rejects.toMatchObject({ errno: 'EIO' });

    expect(await namesIn(disk, '/db')).toEqual([]);
  });

  test('reports a directory that is missing or read-only as what it is', async () => {
    const fs = await openDirectory();
    const process = fakeProcessWorld().start();

    await expect(acquireDirectoryLock(fs, '/none', process)).rejects.toMatchObject({ code: 'KAYA_FS_NOT_FOUND' });
    fs.setReadOnly(true);
    await expect(acquireDirectoryLock(fs, '/db', process)).rejects.toMatchObject({ code: 'KAYA_FS_PERMISSION' });
  });
});

describe('inspectDirectoryLock', () => {
  test('tells the states apart and changes nothing', async () => {
    const disk = await openDirectory();
    const world = fakeProcessWorld();
    const observer = world.start();
    const holder = world.start();
    const elsewhere = world.start({ host: 'elsewhere' });

    expect(await inspectDirectoryLock(disk, '/db', observer)).toEqual({ kind: 'free' });
    const { owner } = await acquireDirectoryLock(disk, '/db', holder);
    disk.setReadOnly(true);
    expect(await inspectDirectoryLock(disk, '/db', observer)).toEqual({ kind: 'held', owner, liveness: 'alive' });
    expect(await inspectDirectoryLock(disk, '/db', elsewhere)).toEqual({ kind: 'held', owner, liveness: 'unknown' });
    holder.kill();
    expect(await inspectDirectoryLock(disk, '/db', observer)).toEqual({ kind: 'stale', owner });
    disk.setReadOnly(false);
    await disk.unlink('/db/LOCK');
    await writeWhole(disk, '/db/LOCK', '');
    expect(await inspectDirectoryLock(disk, '/db', observer)).toEqual({ kind: 'unreadable' });
  });
});

describe('breakDirectoryLock', () => {
  test('removes the lock that the operator named, and no other', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const { owner } = await acquireDirectoryLock(fs, '/db', world.start({ host: 'elsewhere' }));
    const operator = world.start();

    expect(await breakDirectoryLock(fs, '/db', operator, 'another-token')).toBe(false);
    expect(await namesIn(fs, '/db')).toEqual(['LOCK']);
    expect(await breakDirectoryLock(fs, '/db', operator, owner.token)).toBe(true);

    expect(await namesIn(fs, '/db')).toEqual([]);
    expect(await breakDirectoryLock(fs, '/db', operator, owner.token)).toBe(false);
  });

  test('refuses while the owner runs', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const { owner } = await acquireDirectoryLock(fs, '/db', world.start());

    await refusal(breakDirectoryLock(fs, '/db', world.start(), owner.token));

    expect(await namesIn(fs, '/db')).toEqual(['LOCK']);
  });

  test('removes an unreadable lock, but not a readable one in its place', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    await writeWhole(fs, '/db/LOCK', '');

    expect(await breakDirectoryLock(fs, '/db', world.start(), undefined)).toBe(true);
    await acquireDirectoryLock(fs, '/db', world.start({ host: 'elsewhere' }));

    expect(await breakDirectoryLock(fs, '/db', world.start(), undefined)).toBe(false);
    expect(await namesIn(fs, '/db')).toEqual(['LOCK']);
  });

  test('removes the claim of a taker that cannot be seen', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const dead = world.start();
    const { owner } = await acquireDirectoryLock(fs, '/db', dead);
    dead.kill();
    const taker = { format: 1, token: 'gone', takenAt: '', ...world.start({ host: 'elsewhere' }).self() };
    await writeWhole(fs, `/db/LOCK.takeover-${owner.token}`, JSON.stringify(taker));
    const process = world.start();
    await refusal(acquireDirectoryLock(fs, '/db', process));

    expect(await breakDirectoryLock(fs, '/db', process, 'gone')).toBe(true);

    expect((await acquireDirectoryLock(fs, '/db', process)).tookOverFrom).toEqual(owner);
  });

  test('does not take a broken lock away from its next owner', async () => {
    const fs = await openDirectory();
    const world = fakeProcessWorld();
    const unseen = await acquireDirectoryLock(fs, '/db', world.start({ host: 'elsewhere' }));
    await breakDirectoryLock(fs, '/db', world.start(), unseen.owner.token);
    const next = await acquireDirectoryLock(fs, '/db', world.start());

    await unseen.release();

    expect(await inspectDirectoryLock(fs, '/db', world.start())).toMatchObject({ kind: 'held', owner: next.owner });
  });
});
