import { acquireDirectoryLock, type DirectoryLock, inspectDirectoryLock } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { StoppedCluster } from './stopped-cluster.ts';
import { TestWorld } from './test-world.ts';

/** A store whose last process ran in another container and never gave the lock back. */
async function openLeftBehind(world: TestWorld): Promise<DirectoryLock> {
  await world.run('--data', '/db', 'put', 'k', 'v');
  return acquireDirectoryLock(world.fileSystem, '/db', world.processWorld.start({ host: 'elsewhere' }));
}

describe('kayactl unlock', () => {
  test('lets a store be opened again whose owner cannot be seen', async () => {
    const world = new TestWorld();
    const { owner } = await openLeftBehind(world);
    const refused = await world.run('--data', '/db', 'get', 'k');
    const token = /unlock --token (?<token>[\w-]+)"/.exec(refused.stderr)?.groups?.['token'] ?? '';

    const unlocked = await world.run('--data', '/db', 'unlock', '--token', token);

    expect(refused.exitCode).toBe(6);
    expect(refused.stderr).toContain('HINT: Two processes on one folder destroy it');
    expect(token).toBe(owner.token);
    expect(unlocked).toMatchObject({ exitCode: 0, stderr: '' });
    expect(unlocked.stdout).toContain(`OK removed the lock, held by process ${owner.pid} on host elsewhere since `);
    expect(await world.run('--data', '/db', 'get', 'k')).toMatchObject({ exitCode: 0, stdout: 'v\n' });
  });

  test('refuses while the owner runs, and leaves its lock', async () => {
    const world = new TestWorld();
    await world.run('--data', '/db', 'put', 'k', 'v');
    const lock = await acquireDirectoryLock(world.fileSystem, '/db', world.processWorld.start());

    const refused = await world.run('--data', '/db', 'unlock', '--token', lock.owner.token);

    expect(refused).toMatchObject({ exitCode: 6, stdout: '' });
    expect(refused.stderr).toContain(`process ${lock.owner.pid} on host test-host`);
    expect(refused.stderr).toContain('which is running');
    expect(await world.run('--data', '/db', 'get', 'k')).toMatchObject({ exitCode: 6 });
  });

  test('removes no lock but the one with the token', async () => {
    const world = new TestWorld();
    const { owner } = await openLeftBehind(world);
    const before = await world.readFile('/db/LOCK');

    const wrong = await world.run('--data', '/db', 'unlock', '--token', 'another');
    const unreadable = await world.run('--data', '/db', 'unlock', '--token', 'unreadable');

    expect(wrong.exitCode).toBe(4);
    expect(wrong.stderr).toContain('no lock in /db has the token another; nothing was changed');
    expect(unreadable.exitCode).toBe(4);
    expect(await world.readFile('/db/LOCK')).toBe(before);
    expect(before).toContain(owner.token);
  });

  test('removes a lock file that cannot be read', async () => {
    const world = new TestWorld();
    await world.run('--data', '/db', 'put', 'k', 'v');
    await world.writeFile('/db/LOCK', 'garbage');
    const refused = await world.run('--data', '/db', 'get', 'k');

    const unlocked = await world.run('--data', '/db', 'unlock', '--token', 'unreadable', '--json');

    expect(refused.stderr).toContain('kayactl --data /db unlock --token unreadable');
    expect(JSON.parse(unlocked.stdout)).toEqual({ removed: true, state: 'unreadable' });
    expect(await world.run('--data', '/db', 'get', 'k')).toMatchObject({ exitCode: 0 });
  });

  test('removes the claim of a process that ended while it took the lock over', async () => {
    const world = new TestWorld();
    await world.run('--data', '/db', 'put', 'k', 'v');
    const dead = world.processWorld.start();
    const { owner } = await acquireDirectoryLock(world.fileSystem, '/db', dead);
    dead.kill();
    const taker = { format: 1, token: 'taker', takenAt: '', ...world.processWorld.start({ host: 'elsewhere' }).self() };
    await world.writeFile(`/db/LOCK.takeover-${owner.token}`, JSON.stringify(taker));
    const refused = await world.run('--data', '/db', 'get', 'k');

    const unlocked = await world.run('--data', '/db', 'unlock', '--token', 'taker');

    expect(refused.stderr).toContain('kayactl --data /db unlock --token taker');
    expect(unlocked).toMatchObject({ exitCode: 0, stdout: 'OK removed a claim to take over the lock\n' });
    expect(await world.run('--data', '/db', 'get', 'k')).toMatchObject({ exitCode: 0 });
  });

  test('says without a token who holds the folder, and changes nothing', async () => {
    const world = new TestWorld();
    await world.run('--data', '/db', 'put', 'k', 'v');
    const free = await world.run('--data', '/db', 'unlock');
    const process = world.processWorld.start();
    await acquireDirectoryLock(world.fileSystem, '/db', process);
    const alive = await world.run('--data', '/db', 'unlock');
    process.kill();

    const stale = await world.run('--data', '/db', 'unlock', '--json');

    expect(free).toEqual({ exitCode: 0, stdout: '/db/LOCK: free\n', stderr: '' });
    expect(alive).toMatchObject({ exitCode: 6, stdout: '' });
    expect(alive.stderr).toContain('which is running');
    expect(stale.exitCode).toBe(0);
    const { pid } = process.self();
    expect(JSON.parse(stale.stdout)).toMatchObject({ removed: false, state: 'stale', pid, host: 'test-host' });
    expect(await world.readFile('/db/LOCK')).toContain(`"pid":${pid}`);
  });

  test('of the directory of a node removes the lock of its store, too, and no lock of anybody else', async () => {
    const stopped = await StoppedCluster.make(1, async (client) => void (await client.put('k', 'v')));
    const world = stopped.world(1);
    const elsewhere = world.processWorld.start({ host: 'elsewhere' });
    const { owner } = await acquireDirectoryLock(world.fileSystem, '/data', elsewhere);
    const store = '/data/groups/0/store-0';
    await acquireDirectoryLock(world.fileSystem, store, elsewhere);
    await world.fileSystem.makeDirectory('/data/groups/0/store-9');
    const another = world.processWorld.start({ host: 'elsewhere' });
    await acquireDirectoryLock(world.fileSystem, '/data/groups/0/store-9', another);

    const unlocked = await world.run('--data', '/data', 'unlock', '--token', owner.token);

    expect(unlocked).toMatchObject({ exitCode: 0, stderr: '' });
    const stateOf = async (path: string): Promise<string> =>
      (await inspectDirectoryLock(world.fileSystem, path, world.processes)).kind;
    expect([await stateOf('/data'), await stateOf(store), await stateOf('/data/groups/0/store-9')]).toEqual([
      'free',
      'free',
      'held',
    ]);
  });

  test('refuses a server, and a folder that is not there', async () => {
    const world = new TestWorld();

    const remote = await world.run('--server', '127.0.0.1:1', 'unlock');
    const absent = await world.run('--data', '/nowhere', 'unlock', '--token', 'x');

    expect(remote).toMatchObject({ exitCode: 4 });
    expect(remote.stderr).toContain('ERROR: unlock works on a folder only');
    expect(absent).toMatchObject({ exitCode: 4 });
    expect(absent.stderr).toContain('ERROR: there is no folder /nowhere');
  });
});
