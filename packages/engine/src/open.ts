/** Opening a store: lock, manifest, write-ahead log, ready. */

import type { EngineOptions } from './options.ts';
import type { Engine } from './types.ts';

/**
 * Opens the store in `directory`, creating it if allowed.
 *
 * @throws CorruptionError when something is damaged; nothing has been changed then.
 * @throws DirectoryLockedError when another process has it open.
 */
export function openEngine(_directory: string, _options: EngineOptions = {}): Promise<Engine> {
  return Promise.reject(new Error('being written'));
}
