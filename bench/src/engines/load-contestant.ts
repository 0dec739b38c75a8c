/** Loads the adapter of one engine only, so that a child process holds no other engine's code. */

import type { Contestant } from './contestant.ts';
import type { EngineName } from './engine-name.ts';

export async function loadContestant(name: EngineName): Promise<Contestant> {
  switch (name) {
    case 'kayadb':
      return (await import('./kayadb.ts')).contestant;
    case 'classic-level':
      return (await import('./classic-level.ts')).contestant;
    case 'lmdb':
      return (await import('./lmdb.ts')).contestant;
    case 'rocksdb':
      return (await import('./rocksdb.ts')).contestant;
    case 'better-sqlite3':
      return (await import('./better-sqlite3.ts')).contestant;
  }
}
