/** `kayactl firewall` against a cluster of protocol 2 in memory, and what nft and sh say to what it prints. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { member, members, membersOfFollower, status } from './cluster-documents.ts';
import { ClusterServer } from './cluster-server.ts';
import { TestWorld } from './test-world.ts';

const NFT = '/usr/sbin/nft';
/** A pipeline must have it; only root may ask it. */
const nftIsAbsent = (!existsSync(NFT) && process.env['CI'] !== 'true') || process.getuid?.() !== 0;
const SERVER = ['--server', '10.0.0.2:7002'] as const;

function openCluster(): TestWorld {
  const world = new TestWorld();
  const cluster = new ClusterServer();
  world.connect = cluster.connect;
  const grown = [...(members()['members'] as readonly object[]), member(4, { kind: 'learner' })];
  cluster.nodes.set(7001, { status: status(1), members: members({}, grown as never) });
  cluster.nodes.set(7002, { status: status(2), members: membersOfFollower(2) });
  return world;
}

function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kayactl-firewall-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('kayactl firewall', () => {
  test('has rules for the members that the leader knows', async () => {
    const world = openCluster();

    const { exitCode, stdout } = await world.run(...SERVER, 'firewall', '--clients', '10.0.0.0/8');

    expect(exitCode).toBe(0);
    expect(stdout).toContain('elements = { 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 }');
    expect(stdout).toContain('as of index 42: 1 at 10.0.0.1, 2 at 10.0.0.2, 3 at 10.0.0.3, 4 at 10.0.0.4.');
    expect(stdout).toContain('tcp dport { 7001, 7002, 7003, 7004 } drop');
  });

  test('tells programs the members and the rules', async () => {
    const world = openCluster();

    const { stdout } = await world.run(...SERVER, 'firewall', '--format', 'ufw', '--address', '5=10.0.0.5', '--json');

    const document = JSON.parse(stdout) as { readonly members: readonly unknown[]; readonly rules: string };
    expect(document).toMatchObject({ format: 'ufw', cluster: '00112233445566778899aabbccddeeff', index: 42 });
    expect(document.members.at(-1)).toEqual({ node: 5, address: '10.0.0.5' });
    expect(document.rules).toContain('ufw allow proto tcp from 10.0.0.5 to any port 7481');
  });

  test('puts nothing into a script that a server could have written', async () => {
    const world = new TestWorld();
    const cluster = new ClusterServer();
    world.connect = cluster.connect;
    const evil = members({ cluster: 'x\nreboot\n', index: '1\nreboot' });
    cluster.nodes.set(7002, { status: status(2), members: evil });

    const { stdout } = await world.run(...SERVER, 'firewall', '--format', 'ufw');

    expect(stdout).toContain('for cluster unknown, members as of index 0: 1 at 10.0.0.1');
    expect(stdout).not.toContain('reboot');
  });

  test.each([
    [['--clients', 'everybody'], 'Write an address or network'],
    [['--address', '4:10.0.0.4'], 'Write it as node=address'],
    [['--address', '4=10.0.0.0/8'], 'Write it as node=address'],
    [['--format', 'iptables'], 'Allowed choices are nftables, ufw.'],
  ])('refuses %j with a sentence', async (flags, sentence) => {
    const { exitCode, stderr } = await openCluster().run(...SERVER, 'firewall', ...flags);

    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: expect.stringContaining(sentence) });
  });

  test.skipIf(nftIsAbsent)('prints what nft takes (as root, with the Debian package nftables)', async () => {
    const file = join(openFolder(), 'kayadb.nft');
    const networks = ['10.0.0.0/8', '10.1.0.0/16', 'fd00::/8', '::/0'].flatMap((each) => ['--clients', each]);
    const { stdout } = await openCluster().run(...SERVER, 'firewall', ...networks, '--address', '6=fd00::6');
    writeFileSync(file, stdout);

    const { status: exitCode, stderr } = spawnSync(NFT, ['-c', '-f', file], { encoding: 'utf8' });

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('prints a script for ufw that takes out its own rules, the last one first, and no other', async () => {
    const folder = openFolder();
    // As ufw 0.36 prints its list, until it is empty of ours.
    const listed = `#!/bin/sh
echo "ufw $*" >> '${folder}/said'
[ "$1" = status ] || exit 0
deleted=$(grep -c delete '${folder}/said')
echo 'Status: active'
echo '[ 1] 22/tcp                     ALLOW IN    Anywhere                   # ssh'
[ "$deleted" -lt 2 ] && echo '[ 2] 7481/tcp                   ALLOW IN    10.0.0.9                   # kayadb nodes'
[ "$deleted" -lt 1 ] && echo '[11] 7481/tcp                   DENY IN     Anywhere                   # kayadb nodes'
exit 0
`;
    writeFileSync(join(folder, 'ufw'), listed, { mode: 0o755 });
    const { stdout } = await openCluster().run(...SERVER, 'firewall', '--format', 'ufw');

    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    const { status: exitCode, stderr } = spawnSync('sh', ['-c', stdout], { encoding: 'utf8', env });
    const said = spawnSync('cat', [join(folder, 'said')], { encoding: 'utf8' }).stdout.split('\n');

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(said.filter((line) => line.includes('delete'))).toEqual(['ufw --force delete 11', 'ufw --force delete 2']);
    expect(said.filter((line) => / (?:allow|deny) /.test(line))).toHaveLength(15);
  });
});
