/** Readers of what nodes write for each other and for their own next start: commands of the log, snapshots' data, rows of the machine, NODE; and what `recover quorum` is given. */

import { strict as assert } from 'node:assert';

import { crc32c, decodeUtf8, encodeUtf8 } from '@kayadb/codec';
import type { Decoder, SampleSource } from '@kayadb/engine/testing';
import { type NodeSummary, parseNodeSummary, planQuorum, type QuorumPlan } from '@kayadb/server';
import {
  type Command,
  type CommandBody,
  decodeAnswerRow,
  decodeCommand,
  decodeGoneRow,
  decodeMachineRow,
  decodeMemberRow,
  decodeNodeFile,
  decodeSessionRow,
  decodeSnapshotData,
  encodeAnswerRow,
  encodeCommand,
  encodeGoneRow,
  encodeMachineRow,
  encodeMemberRow,
  encodeNodeFile,
  encodeSessionRow,
  encodeSnapshotData,
  GONE_PREFIX,
  goneKey,
  type Member,
  numberIn,
  secondNumberIn,
} from '@kayadb/server/testing';

import { sampleNumber, sampleWrite } from './sample-messages-2.ts';

const MALFORMED = ['KAYA_MALFORMED'];
/** Whose row a member's row is said to be: its number is in the key. */
const ROW_OF = 7;
const COMMAND_KINDS = [
  'write',
  'open-session',
  'close-session',
  'put-member',
  'drop-member',
  'raise-level',
  'touch',
] as const;

const command: Decoder<Command> = {
  name: 'command',
  refusals: MALFORMED,
  // An empty list may be there or not, and only a write says more of a session than its id.
  isCanonical: ({ kind }) => kind !== 'write' && kind !== 'close-session' && kind !== 'touch',
  copies: false,
  decode: decodeCommand,
  encode: encodeCommand,
  sample(random) {
    const unknown = [{ tag: 128 + random.int(300), bytes: random.bytes(random.int(4)) }];
    const timeMs = sampleNumber(random);
    return encodeCommand({ ...sampleBody(random), timeMs, ...(random.chance(0.2) && { unknown }) });
  },
};

const snapshotData: Decoder<ReturnType<typeof decodeSnapshotData>> = {
  name: 'snapshot-data',
  refusals: MALFORMED,
  isCanonical: () => true,
  copies: true,
  decode: decodeSnapshotData,
  encode: encodeSnapshotData,
  sample(random) {
    const names = Array.from({ length: random.int(4) }, (_, i) => `${100_001 + 9 * i + random.int(9)}.sst`);
    if (random.chance(0.8)) names.push('CURRENT', 'MANIFEST-000003');
    return encodeSnapshotData(
      names.toSorted().map((name) => ({ name, bytes: sampleNumber(random), crc: random.int(2 ** 32) })),
    );
  },
};

/** A later version's is no error but `undefined`. */
const machineRow: Decoder<ReturnType<typeof decodeMachineRow>> = {
  name: 'machine-row',
  refusals: MALFORMED,
  isCanonical: (row) => row !== undefined,
  copies: true,
  decode: decodeMachineRow,
  encode: (row) => (row === undefined ? Uint8Array.of(0) : encodeMachineRow(row)),
  sample: (random) =>
    encodeMachineRow({
      timeMs: sampleNumber(random),
      level: random.int(300),
      index: sampleNumber(random),
      term: sampleNumber(random),
    }),
};

const sessionRow: Decoder<ReturnType<typeof decodeSessionRow>> = {
  name: 'session-row',
  refusals: MALFORMED,
  isCanonical: () => true,
  copies: true,
  decode: decodeSessionRow,
  encode: encodeSessionRow,
  sample: (random) => encodeSessionRow({ expiryMs: sampleNumber(random), usedMs: sampleNumber(random) }),
};

const answerRow: Decoder<ReturnType<typeof decodeAnswerRow>> = {
  name: 'answer-row',
  refusals: MALFORMED,
  isCanonical: () => true,
  copies: true,
  decode: decodeAnswerRow,
  encode: encodeAnswerRow,
  sample(random) {
    const failed = random.chance(0.5) ? undefined : random.int(300);
    const answer = { revision: sampleNumber(random), term: sampleNumber(random), failed };
    return encodeAnswerRow({ serial: sampleNumber(random), settled: sampleNumber(random), answer });
  },
};

const memberRow: Decoder<Member> = {
  name: 'member-row',
  refusals: MALFORMED,
  isCanonical: () => true,
  copies: true,
  decode: (bytes) => decodeMemberRow(ROW_OF, bytes),
  encode: encodeMemberRow,
  sample: (random) => encodeMemberRow(sampleMember(random, ROW_OF)),
};

const goneRow: Decoder<number> = {
  name: 'gone-row',
  refusals: MALFORMED,
  isCanonical: () => true,
  copies: true,
  decode: decodeGoneRow,
  encode: encodeGoneRow,
  sample: (random) => encodeGoneRow(sampleNumber(random)),
};

/** What comes behind the prefix in the key of a member that is gone: two numbers, the longest key that there is but for answers. */
const rowKey: Decoder<readonly [number, number]> = {
  name: 'row-key',
  refusals: MALFORMED,
  // The key of an answer goes on behind its numbers.
  isCanonical: () => false,
  copies: true,
  decode: (bytes) => [numberIn(bytes, new Uint8Array(0)), secondNumberIn(bytes, new Uint8Array(0))],
  encode: ([node, incarnation]) => goneKey(node, incarnation).subarray(GONE_PREFIX.length),
  sample: (random) => goneKey(sampleNumber(random), sampleNumber(random)).slice(GONE_PREFIX.length),
};

const CRC_MEMBER = /,"crc":"[0-9a-f]{8}"\}\n$/;

const nodeFile: Decoder<ReturnType<typeof decodeNodeFile>> = {
  name: 'node-file',
  refusals: ['KAYA_CORRUPTION', 'KAYA_UNSUPPORTED'],
  isCanonical: () => true,
  copies: true,
  decode: decodeNodeFile,
  encode: encodeNodeFile,
  sample(random) {
    const identity = {
      node: 1 + random.int(9),
      incarnation: 1 + sampleNumber(random),
      boot: 1 + random.int(300),
      cluster: random.chance(0.2) ? undefined : Buffer.from(random.bytes(16)).toString('hex'),
      hasBegun: random.chance(0.5),
      isRemoved: random.chance(0.2),
    };
    return encodeNodeFile(identity);
  },
  reseal(bytes) {
    const text = Buffer.from(bytes).toString('latin1');
    const end = text.search(CRC_MEMBER);
    if (end === -1) return;
    const crc = crc32c(Buffer.from(`${text.slice(0, end)}}`, 'latin1'));
    bytes.set(Buffer.from(crc.toString(16).padStart(8, '0')), bytes.length - '12345678"}\n'.length);
  },
};

/** What is no summary is no error but `undefined`. Of what is one, a plan can be made: without a cluster in it, that there is nothing to plan is said in words. */
const nodeSummary: Decoder<{ readonly summary: NodeSummary; readonly plan: QuorumPlan | undefined } | undefined> = {
  name: 'node-summary',
  refusals: [],
  isCanonical: () => false,
  copies: true,
  decode(bytes) {
    const summary = parseNodeSummary(decodeUtf8(bytes));
    return summary && { summary, plan: planOf(summary) };
  },
  encode: (value) => (value === undefined ? new Uint8Array(0) : encodeUtf8(JSON.stringify(value.summary))),
  sample: (random) => encodeUtf8(JSON.stringify(sampleSummary(random))),
};

export const serverDecoders: readonly Decoder[] = [
  command,
  snapshotData,
  machineRow,
  sessionRow,
  answerRow,
  memberRow,
  goneRow,
  nodeFile,
  nodeSummary,
  rowKey,
];

function sampleBody(random: SampleSource): CommandBody {
  const kind = COMMAND_KINDS[random.int(COMMAND_KINDS.length)]!;
  switch (kind) {
    case 'write':
      return { kind, write: sampleWrite(random) };
    case 'open-session':
      return { kind, expiryMs: sampleNumber(random) };
    case 'close-session':
      return { kind, session: sampleNumber(random) };
    case 'put-member':
      return { kind, member: sampleMember(random, 1 + random.int(9)) };
    case 'drop-member':
      return { kind, node: random.int(300) };
    case 'raise-level':
      return { kind, level: random.int(300) };
    case 'touch':
      return { kind, session: random.chance(0.3) ? undefined : sampleNumber(random) };
  }
}

function sampleMember(random: SampleSource, node: number): Member {
  return {
    node,
    incarnation: sampleNumber(random),
    level: random.int(300),
    isToBePromoted: random.chance(0.5),
    peerAddress: random.chance(0.2) ? '' : `nö${random.int(9)}.example:7481`,
    clientAddress: random.chance(0.2) ? '' : `[fd00::${random.int(9)}]:7379`,
  };
}

function sampleSummary(random: SampleSource): NodeSummary {
  const id = 1 + random.int(4);
  const lastIndex = sampleNumber(random);
  const cluster = random.chance(0.2) ? null : Buffer.from(random.bytes(16)).toString('hex');
  const configuration = {
    voters: [1, 2, 3].slice(0, 1 + random.int(3)),
    votersOutgoing: random.chance(0.2) ? [2, 4] : [],
    learners: random.chance(0.3) ? [5] : [],
    learnersNext: [],
    autoLeave: false,
  };
  const log = {
    term: random.int(300),
    vote: random.int(4),
    firstIndex: 1,
    lastIndex,
    lastTerm: random.int(300),
    commit: random.int(300),
    snapshotIndex: null,
    snapshotTerm: null,
    configuration,
    committedConfiguration: random.chance(0.8)
      ? configuration
      : { ...configuration, voters: [1, 2], votersOutgoing: [] },
    tail: 'blank',
    tailFile: '0000000000000001.raft',
    tailOffset: random.int(2 ** 16),
    rewriteFrom: null,
  } as const;
  return {
    kind: 'kayadb-node-summary',
    format: 1,
    directory: '/srv/node',
    verdict: 'clean',
    live: random.chance(0.1),
    node: random.chance(0.1) ? null : { id, incarnation: 1, boot: 2, cluster, removed: random.chance(0.2) },
    log: random.chance(0.1) ? null : log,
    appliedIndex: random.chance(0.2) ? null : random.int(300),
    gone: random.chance(0.3) ? [{ node: 1 + random.int(4), incarnation: 1 }] : [],
    damage: random.chance(0.9) ? null : 'groups/0/raft/1.raft at offset 64: its CRC does not match',
  };
}

function planOf(summary: NodeSummary): QuorumPlan | undefined {
  try {
    return planQuorum([{ name: 'node.json', isDirectory: false, summary }]);
  } catch (error) {
    assert.ok(
      error instanceof RangeError && error.message.endsWith('in a cluster'),
      'a plan, or a sentence for why not',
    );
    return undefined;
  }
}
