/** Where things are: the checkout, the two programs as they are installed, and the folders that tests work in. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout, with a `/` at the end. */
export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** The committed launchers; they need a build. */
export const KAYACTL = join(ROOT, 'apps/kayactl/bin/kayactl.js');
export const KAYADB_SERVER = join(ROOT, 'apps/kayadb-server/bin/kayadb-server.js');

export interface Folder extends Disposable {
  readonly path: string;
  /** A path in it. */
  at(...parts: readonly string[]): string;
}

/** An empty folder of the test's own; it goes away with the test. */
export function openFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'kayadb-e2e-'));
  return {
    path,
    at: (...parts) => join(path, ...parts),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The environment without settings of KayaDB, which would change what a test means. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KAYA_')));
}
