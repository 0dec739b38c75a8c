/** Every reader of untrusted bytes that this package has. A new format has its reader here. */

import type { RaftDecoder } from './decoder.ts';
import { messageDecoders } from './message-decoders.ts';
import { stagingDecoders } from './staging-decoders.ts';
import { storageDecoders } from './storage-decoders.ts';

export const raftDecoders: readonly RaftDecoder[] = [...messageDecoders, ...stagingDecoders, ...storageDecoders];
