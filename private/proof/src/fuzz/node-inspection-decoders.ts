/** Readers of the files of a node by themselves, as `kayactl inspect` is given them: whatever is in them is told, and nothing is refused. */

import { strict as assert } from 'node:assert';

import { BytesFileSystem, type Decoder } from '@kayadb/engine/testing';
import { raftDecoders } from '@kayadb/raft/testing';
import { inspectNodeFile } from '@kayadb/server';
import { describeCommand } from '@kayadb/server/testing';

import { serverDecoders } from './server-decoders.ts';

/** What the first byte of an input stands for: the name of the file, and the decoder that has samples of it. */
const FILES = [
  ['000001.rlog', 'raft-segment'],
  ['raft-state', 'raft-state-file'],
  ['raft-snapshot.bin', 'raft-snapshot-file'],
  ['TRANSFER', 'raft-transfer-file'],
  ['PROGRESS', 'raft-progress-file'],
  ['NODE', 'node-file'],
] as const;
const SOURCES: readonly Decoder[] = [...raftDecoders, ...serverDecoders];

function fileOf(bytes: Uint8Array): readonly [name: string, source: Decoder] {
  const [name, from] = FILES[(bytes[0] ?? 0) % FILES.length]!;
  const source = SOURCES.find((decoder) => decoder.name === from);
  assert.ok(source, `there is a decoder of ${from}`);
  return [name, source];
}

const nodeFileInspection: Decoder = {
  name: 'inspect-node-file',
  refusals: [],
  isCanonical: () => false,
  copies: true,
  decode(bytes) {
    const path = `/node/${fileOf(bytes)[0]}`;
    return inspectNodeFile(new BytesFileSystem(new Map([[path, bytes.slice(1)]])), path, { showKeys: true });
  },
  async sample(random) {
    const kind = random.int(FILES.length);
    return Uint8Array.from([kind, ...(await fileOf(Uint8Array.of(kind))[1].sample(random))]);
  },
  reseal(bytes) {
    if (bytes.length > 0) fileOf(bytes)[1].reseal?.(bytes.subarray(1));
  },
};

/** The command of an entry. */
const commandDescription: Decoder = {
  name: 'describe-command',
  refusals: [],
  isCanonical: () => false,
  copies: true,
  decode: (bytes) => describeCommand(bytes, true),
  sample: (random) => SOURCES.find(({ name }) => name === 'command')!.sample(random),
};

export const nodeInspectionDecoders: readonly Decoder[] = [nodeFileInspection, commandDescription];
