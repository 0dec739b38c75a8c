/** What a node needs of its store: so little that a test can stand in for it. */

import type { Engine, KeyValue, ScanOptions } from '@kayadb/engine';

export interface ServedEngine extends Pick<Engine, 'put' | 'delete' | 'get' | 'flush' | 'stats' | 'close'> {
  /** As `Engine.scan`. */
  scan(options?: ScanOptions): AsyncIterable<KeyValue>;
}
