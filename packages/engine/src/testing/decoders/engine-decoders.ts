/** Every reader of untrusted bytes that the engine has. A new format has its reader here. */

import type { Decoder } from './decoder.ts';
import { fileDecoders } from './file-decoders.ts';
import { logDecoders } from './log-decoders.ts';
import { tablePartDecoders } from './table-decoders.ts';
import { tableDecoder } from './whole-table-decoder.ts';

export const engineDecoders: readonly Decoder[] = [...fileDecoders, ...logDecoders, ...tablePartDecoders, tableDecoder];
