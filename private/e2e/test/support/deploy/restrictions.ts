/**
 * What scripts/deploy/systemd/kayadb.service restricts, brought about without systemd where mounts, users and limits can do it. What takes filters of system calls or control groups is named, and left out: systemd alone makes them.
 */

import type { UnitFile } from './unit-file.ts';

/** Whom no machine knows. */
export const SERVICE_USER = 61_234;

/** Shell for one directive: of mounts first, then of the process. */
const MOUNTS: Readonly<Record<string, string>> = {
  'PrivateTmp=yes': 'for each in /tmp /var/tmp; do mount -t tmpfs -o mode=1777 tmpfs $each; done',
  'ProtectHome=yes': 'for each in /home /root; do mount -t tmpfs -o mode=000 tmpfs $each; done',
  'ProtectProc=invisible': 'mount -t proc -o hidepid=invisible proc /proc',
  'ProtectKernelTunables=yes': 'mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys',
  'ProtectSystem=strict': `while read -r _ target _; do
  case $target in /proc* | /dev* | /sys* | /tmp | /var/tmp | /var/lib/kayadb) ;; *) if mountpoint -q "$target"; then mount -o remount,bind,ro "$target"; fi ;; esac
done < <(cat /proc/self/mounts)`,
};
const LIMITS: Readonly<Record<string, string>> = {
  // As far as this machine lets its root go.
  'LimitNOFILE=65536': 'ulimit -n 65536 2> /dev/null || ulimit -n "$(ulimit -Hn)"',
  'LimitCORE=0': 'ulimit -c 0',
  'UMask=0077': 'umask 0077',
};
const SETPRIV: Readonly<Record<string, string>> = {
  'User=kayadb': `--reuid ${SERVICE_USER} --clear-groups`,
  'Group=kayadb': `--regid ${SERVICE_USER}`,
  'NoNewPrivileges=yes': '--no-new-privs',
  'CapabilityBoundingSet=': '--bounding-set=-all --inh-caps=-all',
  'AmbientCapabilities=': '--ambient-caps=-all',
};

/** What takes systemd itself. `systemd-analyze verify` reads them all the same. */
export const NOT_BROUGHT_ABOUT = wordsOf(`
  PrivateDevices PrivateUsers PrivateIPC DevicePolicy RemoveIPC KeyringMode OOMScoreAdjust
  ProtectKernelModules ProtectKernelLogs ProtectControlGroups ProtectClock ProtectHostname
  RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality
  SystemCallArchitectures SystemCallFilter SystemCallErrorNumber
`);

/** What makes the service and does not restrict it: the caller does it. */
const SERVICE = wordsOf(`
  Type Environment EnvironmentFile ExecStart ExecReload StateDirectory StateDirectoryMode
  ReadWritePaths Restart RestartSec RestartPreventExitStatus TimeoutStopSec
`);

/**
 * Shell that takes on what the unit says and becomes its ExecStart.
 *
 * @param state - What is to be /var/lib/kayadb.
 * @param configuration - What is to be /etc/kayadb.
 * @param node - In the place of /usr/bin/node, which may not be where the tests have theirs.
 * @throws Error for a directive that it knows nothing of.
 */
export function restrictedStart(unit: UnitFile, state: string, configuration: string, node: string): string {
  const said = [...unit].flatMap(([name, values]) =>
    name.startsWith('Service.') ? values.map((value) => `${name.slice('Service.'.length)}=${value}`) : [],
  );
  const known = [MOUNTS, LIMITS, SETPRIV].flatMap((each) => Object.keys(each));
  for (const directive of said) {
    const [name = ''] = directive.split('=');
    if (![...NOT_BROUGHT_ABOUT, ...SERVICE].includes(name) && !known.includes(directive)) {
      throw new Error(`no way to bring about ${directive}`);
    }
  }
  const linesOf = (from: Readonly<Record<string, string>>): readonly string[] =>
    Object.keys(from).flatMap((directive) => (said.includes(directive) ? [from[directive]!] : []));
  const [start = ''] = unit.get('Service.ExecStart') ?? [];
  return [
    'mount -t tmpfs -o mode=755 tmpfs /var/lib; mkdir /var/lib/kayadb',
    `mount --bind '${state}' /var/lib/kayadb`,
    'mount -t tmpfs -o mode=755 tmpfs /etc; mkdir /etc/kayadb',
    `mount --bind '${configuration}' /etc/kayadb`,
    ...linesOf(MOUNTS),
    ...linesOf(LIMITS),
    `exec setpriv ${linesOf(SETPRIV).join(' ')} ${start.replace('/usr/bin/node', node)} "$@"`,
  ].join('\n');
}

function wordsOf(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
