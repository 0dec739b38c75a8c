/** scripts/deploy/systemd: three nodes as the unit starts them, with the restrictions that a machine without systemd can bring about. */

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeTestCertificate } from '@kayadb/transport/testing';
import { describe, expect, onTestFinished, test } from 'vitest';

import { openRunFolder, type RunFolder } from './support/cluster/run-folder.ts';
import {
  loopbackIsNarrow,
  movedTo,
  networkAddress,
  ownLoopback,
  readEnvironment,
} from './support/deploy/loopback-machines.ts';
import { inNamespace, namespacesAreRefused } from './support/deploy/namespace.ts';
import { NOT_BROUGHT_ABOUT, restrictedStart, SERVICE_USER } from './support/deploy/restrictions.ts';
import { parseUnit } from './support/deploy/unit-file.ts';
import { runKayactl, runProgram } from './support/processes.ts';
import { ROOT } from './support/repository.ts';
import { ServerProcess } from './support/server-process.ts';

const TIMEOUT_MS = 240_000;
const FOLDER = join(ROOT, 'scripts/deploy/systemd');
const SYSTEMD_ANALYZE = '/usr/bin/systemd-analyze';
const systemdIsAbsent = !existsSync(SYSTEMD_ANALYZE);
const restrictionsAreRefused = namespacesAreRefused || loopbackIsNarrow;
const UNITS = [
  join(FOLDER, 'kayadb.service'),
  join(ROOT, 'scripts/mtls-sidecar/kayadb-stunnel.service'),
  join(ROOT, 'scripts/mtls-sidecar/kayadb-ghostunnel@.service'),
];
const NODES = [1, 2, 3] as const;

const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const unit = parseUnit(read('kayadb.service'));
const ca = makeTestCertificate({ subject: 'ca', isAuthority: true });

/** What an operator puts into /etc/kayadb of a machine. */
function placeConfiguration(folder: RunFolder, number: number): string {
  const place = folder.at(`etc-${number}`);
  mkdirSync(place);
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'kayadb.toml': movedTo(number, read('kayadb.toml')),
    'client-token': 'a client token of some length\n',
    'operator-token': 'an operator token of some length\n',
    'ca.crt': ca.certificate,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content, { mode: 0o600 });
  placeCertificate(place, number);
  return place;
}

function placeCertificate(place: string, number: number): void {
  const names = [networkAddress(number), ownLoopback(number)];
  const { certificate, key } = makeTestCertificate({ subject: `node ${number}`, issuer: ca, names });
  for (const [name, bytes] of [
    ['node.key', key],
    ['node.crt', certificate],
  ] as const) {
    writeFileSync(join(place, `${name}.new`), bytes, { mode: 0o600 });
    renameSync(join(place, `${name}.new`), join(place, name));
  }
}

/** The file of node 1, as it is on another machine. */
function settingsOf(number: number): Readonly<Record<string, string>> {
  const text = read('node.env').replaceAll('10.0.0.1', `10.0.0.${number}`).replace('NODE_ID=1', `NODE_ID=${number}`);
  return readEnvironment(movedTo(number, text));
}

describe('the units', () => {
  test.skipIf(systemdIsAbsent)('have no directive that systemd does not know', async () => {
    const { stderr } = await runProgram(SYSTEMD_ANALYZE, ['verify', ...UNITS]);

    const complaints = stderr.split('\n').filter((line) => line !== '' && !line.includes('is not executable'));
    expect(complaints).toEqual([]);
  });

  test.skipIf(systemdIsAbsent)('leave a service little that it can do, as systemd counts it', async () => {
    for (const file of UNITS) {
      const { exitCode, stdout } = await runProgram(SYSTEMD_ANALYZE, [
        'security',
        '--offline=true',
        '--threshold=20',
        file,
      ]);

      expect(stdout).toMatch(/Overall exposure level for .*: [01]\.\d OK/);
      expect(exitCode).toBe(0);
    }
  });

  test('restrict a node in every way but the one that would end it', () => {
    for (const name of NOT_BROUGHT_ABOUT) expect([name, unit.has(`Service.${name}`)]).toEqual([name, true]);
    expect(unit.has('Service.MemoryDenyWriteExecute')).toBe(false);
  });
});

describe('a node as the unit starts it', { timeout: TIMEOUT_MS }, () => {
  test.skipIf(restrictionsAreRefused)(
    'serves as a user that may do nothing else, takes a new certificate on reload, and ends when it is told to',
    async () => {
      const folder = openRunFolder();
      const nodes = await Promise.all(
        NODES.map(async (number) => {
          const [state, place] = [folder.at(`state-${number}`), placeConfiguration(folder, number)];
          mkdirSync(state, { mode: 0o700 });
          await runProgram('chown', ['-R', `${SERVICE_USER}:${SERVICE_USER}`, state, place]);
          const node = ServerProcess.launch('/var/lib/kayadb/node', {
            isBare: true,
            command: inNamespace(restrictedStart(unit, state, place, process.execPath)),
            env: {
              ...settingsOf(number),
              KAYA_CONFIG: '/etc/kayadb/kayadb.toml',
              // All of them are on one machine here, where each has its own.
              KAYA_METRICS_ADDR: `${ownLoopback(number)}:9090`,
            },
          });
          onTestFinished(() => node.kill());
          return { number, node, state, place };
        }),
      );
      await Promise.all(nodes.map(({ node }) => node.ready));
      const { node: first, state, place } = nodes[0]!;

      const access = ['--tls-ca', join(place, 'ca.crt'), '--client-token-file', join(place, 'client-token')];
      const servers = NODES.flatMap((number) => ['--server', `${networkAddress(number)}:7379`]);
      const written = await runKayactl([...servers, ...access, 'put', 'k', 'v']);
      const status = readFileSync(`/proc/${first.child.pid}/status`, 'utf8');
      const limits = readFileSync(`/proc/${first.child.pid}/limits`, 'utf8');
      const mounts = readFileSync(`/proc/${first.child.pid}/mounts`, 'utf8').split('\n');
      const files = await runProgram('find', [state, '-printf', '%U %y %m\n']);
      const replaced = first.next(({ event }) => event === 'tls.replaced');
      placeCertificate(place, 1);
      await runProgram('chown', ['-R', `${SERVICE_USER}`, place]);
      first.child.kill('SIGHUP');
      await replaced;
      const ends = await Promise.all(nodes.map(({ node }) => node.stop()));

      expect(written).toMatchObject({ exitCode: 0 });
      expect(status).toMatch(new RegExp(String.raw`^Uid:\t${SERVICE_USER}\t`, 'm'));
      for (const line of ['NoNewPrivs:\t1', 'CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000', 'Umask:\t0077']) {
        expect(status).toContain(`\n${line}\n`);
      }
      expect(limits).toMatch(/^Max open files +(?<soft>\d+) +\k<soft> /m);
      expect(limits).toMatch(/^Max core file size +0 +0/m);
      const isWritable = (target: string): boolean =>
        mounts.some((line) => line.split(' ')[1] === target && / rw[, ]/.test(line));
      expect(['/', '/etc', '/opt/kayadb/apps'].some(isWritable)).toBe(false);
      expect(['/var/lib/kayadb', '/tmp'].every(isWritable)).toBe(true);
      expect([...new Set(files.stdout.trim().split('\n'))].toSorted()).toEqual([
        `${SERVICE_USER} d 700`,
        `${SERVICE_USER} f 600`,
      ]);
      expect(statSync(state).mode & 0o777).toBe(0o700);
      expect(first.log.filter(({ event }) => event === 'node.warning')).toEqual([]);
      expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    },
  );
});
