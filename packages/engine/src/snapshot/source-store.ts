/** What checkpoints, backups and verification need of an open store. `StoreParts` is one. */

import type { Resources } from '../resources.ts';
import type { VersionSet } from '../version/version-set.ts';

export interface SourceStore {
  /** The data directory. */
  readonly directory: string;
  /** 16 bytes. */
  readonly storeId: Uint8Array;
  readonly versions: VersionSet;
  readonly resources: Pick<Resources, 'fileSystem' | 'clock' | 'yieldTurn'>;
  /** The log where it is written to. */
  readonly wal: { readonly endLsn: number };
}
