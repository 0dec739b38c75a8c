/**
 * Parts of a machine for one process, made of mounts that nobody else sees: the folder of the programs at /opt/kayadb as scripts/deploy/make-folder.sh makes it, and whatever a unit or an image says. Needs the right to mount,
 * which containers often lack.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { ROOT } from '../repository.ts';

const UNSHARE = '/usr/bin/unshare';

/** Whether this process may not have mounts of its own. */
export const namespacesAreRefused =
  process.platform !== 'linux' ||
  spawnSync(UNSHARE, ['--mount', '--pid', '--fork', '--uts', '--mount-proc', 'true']).status !== 0;

/** Shell: both programs and the scripts of the image are at /opt/kayadb. */
const PROGRAMS_AT_OPT = `
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir -p /opt/kayadb/apps /opt/kayadb/packages /opt/kayadb/node_modules
for part in apps packages node_modules; do mount --bind '${ROOT}'/$part /opt/kayadb/$part; done
cp '${join(ROOT, 'scripts/deploy/docker')}'/*.sh /opt/kayadb/
cd /
`;

/**
 * A command that runs `script` in mounts of its own and is replaced by what the script ends with; further arguments are its "$@".
 *
 * @param isContainer - Process numbers and the host's name, `node-1`, are of its own too; it cannot be asked to stop then, only killed.
 */
export function inNamespace(script: string, isContainer = false): [file: string, ...argv: string[]] {
  const kinds = isContainer ? ['--pid', '--fork', '--kill-child', '--mount-proc', '--uts'] : [];
  const name = isContainer ? 'echo node-1 > /proc/sys/kernel/hostname' : '';
  return [UNSHARE, '--mount', ...kinds, 'bash', '-c', `set -e\n${PROGRAMS_AT_OPT}${name}\n${script}`, 'bash'];
}
