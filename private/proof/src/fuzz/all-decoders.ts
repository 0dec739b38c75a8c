/** Every decoder there is, and shares of them, so that two test files keep two cores busy. */

import { type Decoder, engineDecoders } from '@kayadb/engine/testing';
import { raftDecoders } from '@kayadb/raft/testing';
import { transportDecoders } from '@kayadb/transport/testing';

import { nodeInspectionDecoders } from './node-inspection-decoders.ts';
import { otherDecoders } from './other-decoders.ts';
import { serverDecoders } from './server-decoders.ts';

export const allDecoders: readonly Decoder[] = [
  ...engineDecoders,
  ...raftDecoders,
  ...otherDecoders,
  ...transportDecoders,
  ...serverDecoders,
  ...nodeInspectionDecoders,
];

/** Share `index` of `count`: each decoder is in one. The costly ones stand together in the list, so it is dealt out like cards. */
export function decoderShare(index: number, count: number): readonly Decoder[] {
  return allDecoders.filter((_, i) => i % count === index);
}
