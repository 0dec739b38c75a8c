/** Commands that end with this process, however it ends: the last net under tests that kill what they start by themselves. */

import { existsSync } from 'node:fs';

/** Of util-linux: has the kernel send a signal to what it runs when its parent is gone. It becomes what it runs, so the process id is the same. */
const SETPRIV = '/usr/bin/setpriv';

/** `node` with these arguments. Where there is no setpriv, it is ended by its owner alone. */
export function tiedNode(...argv: readonly string[]): [file: string, ...argv: string[]] {
  if (!existsSync(SETPRIV)) return [process.execPath, ...argv];
  return [SETPRIV, '--pdeathsig', 'KILL', process.execPath, ...argv];
}
