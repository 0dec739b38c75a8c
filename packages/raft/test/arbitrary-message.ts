/** Messages between nodes for property tests: every number over its whole range, so that fast-check shrinks what fails. */

import * as fc from 'fast-check';

import { encodeConfigChange, encodeConfigChangeV1 } from '../src/core/config-change-encoding.ts';
import type { PeerMessage } from '../src/core/message.ts';
import {
  type Configuration,
  type Entry,
  type KnownCommit,
  NO_COMMIT,
  type NodeId,
  type Snapshot,
} from '../src/core/types.ts';
import type { SnapshotFile, TransferMessage } from '../src/wire/transfer-message.ts';

const MAX = Number.MAX_SAFE_INTEGER;

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 40 });
const node = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: MAX - 2 }));
const between = { from: node, to: node };
const term = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: MAX }));
const u32 = fc.nat(2 ** 32 - 1);
const step = fc.record({ kind: fc.constantFrom('add-voter', 'add-learner', 'remove', 'update'), node: fc.nat(400) });
const change = fc.record({
  transition: fc.constantFrom('auto', 'implicit', 'explicit'),
  steps: fc.array(step, { maxLength: 3 }),
  context: bytes,
});
const entryBody = fc.oneof(
  fc.record({ kind: fc.constant('normal' as const), data: bytes }),
  change.map((of) => ({ kind: 'config' as const, data: Uint8Array.from(encodeConfigChange(of)) })),
  fc
    .record({ step, context: bytes })
    .map((of) => ({ kind: 'config-v1' as const, data: Uint8Array.from(encodeConfigChangeV1(of)) })),
);

/** Each member has one part in the configuration, or none. */
const configuration: fc.Arbitrary<Configuration> = fc
  .record({
    voter: node,
    parts: fc.uniqueArray(fc.tuple(node, fc.constantFrom('voter', 'learner', 'leaves', 'both', 'next')), {
      selector: ([id]) => id,
      maxLength: 12,
    }),
    isJoint: fc.boolean(),
    autoLeave: fc.boolean(),
  })
  .map(({ voter, parts, isJoint, autoLeave }) => {
    const others = parts.filter(([id]) => id !== voter);
    const having = (...wanted: readonly string[]): readonly NodeId[] =>
      others
        .filter(([, part]) => wanted.includes(part))
        .map(([id]) => id)
        .toSorted((a, b) => a - b);
    const votersOutgoing = isJoint ? having('leaves', 'both', 'next') : [];
    return {
      voters: [voter, ...having('voter', 'both')].toSorted((a, b) => a - b),
      votersOutgoing,
      learners: having('learner'),
      learnersNext: isJoint ? having('next') : [],
      autoLeave: autoLeave && votersOutgoing.length > 0,
    };
  });

function snapshotOf(maxTerm: number): fc.Arbitrary<Snapshot> {
  const meta = fc.record({
    index: fc.integer({ min: 1, max: MAX }),
    term: fc.integer({ min: 1, max: maxTerm }),
    configuration,
  });
  return fc.record({ meta, data: bytes });
}

/** An entry up to the one given, or none. */
function knownCommit(seed: readonly [number, number], lastIndex: number, lastTerm: number): KnownCommit {
  const [index, ofTerm] = seed;
  if (index === 0 || lastIndex === 0 || lastTerm === 0) return NO_COMMIT;
  return { commit: 1 + (index % lastIndex), commitTerm: 1 + (ofTerm % lastTerm) };
}

const vote = fc
  .record({
    ...between,
    term,
    last: fc.tuple(number, number),
    known: fc.tuple(number, number),
    isTransfer: fc.boolean(),
  })
  .map(({ last: [index, someTerm], known, ...rest }) => {
    const hasEntries = index > 0 && rest.term > 1 && someTerm > 0;
    const lastIndex = hasEntries ? index : 0;
    const lastTerm = hasEntries ? 1 + (someTerm % (rest.term - 1)) : 0;
    return { ...rest, lastIndex, lastTerm, ...knownCommit(known, lastIndex, lastTerm) };
  });

const append = fc
  .record({
    ...between,
    prev: fc.tuple(fc.nat(MAX - 100), fc.nat(MAX - 10_000)),
    steps: fc.array(fc.tuple(fc.nat(300), entryBody), { maxLength: 12 }),
    ahead: fc.nat(5000),
    commit: number,
  })
  .map(({ prev: [index, someTerm], steps, ahead, ...rest }) => {
    const prevTerm = index === 0 ? 0 : 1 + someTerm;
    let lastTerm = Math.max(prevTerm, 0);
    const entries = steps.map(([rise, body], i): Entry => {
      lastTerm = Math.max(1, lastTerm + rise);
      return { ...body, term: lastTerm, index: index + 1 + i };
    });
    return {
      kind: 'append' as const,
      ...rest,
      term: Math.max(1, lastTerm + ahead),
      prevIndex: index,
      prevTerm,
      entries,
    };
  });

const inTerm = { ...between, term };
const proposed = entryBody.map((body): Entry => ({ ...body, term: 0, index: 0 }));

export const anyPeerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.tuple(fc.constantFrom('vote' as const, 'pre-vote' as const), vote).map(([kind, rest]) => ({ kind, ...rest })),
  fc
    .record({
      kind: fc.constantFrom('vote-response' as const, 'pre-vote-response' as const),
      ...inTerm,
      isRejected: fc.boolean(),
      known: fc.tuple(number, number),
    })
    .map(({ known, ...rest }) => ({ ...rest, ...(rest.isRejected ? knownCommit(known, MAX, rest.term) : NO_COMMIT) })),
  append,
  fc
    .record({ ...inTerm, index: number, isRejected: fc.boolean(), hintIndex: number, hintTerm: number })
    .map(({ isRejected, hintIndex, hintTerm, ...rest }) => {
      const hints = isRejected ? { hintIndex, hintTerm } : { hintIndex: 0, hintTerm: 0 };
      return { kind: 'append-response' as const, ...rest, isRejected, ...hints };
    }),
  fc.record({ kind: fc.constant('heartbeat' as const), ...inTerm, commit: number, context: bytes }),
  fc.record({ kind: fc.constant('heartbeat-response' as const), ...inTerm, context: bytes }),
  term.chain((of) =>
    fc.record({ kind: fc.constant('snapshot' as const), ...between, term: fc.constant(of), snapshot: snapshotOf(of) }),
  ),
  fc.record({
    kind: fc.constant('propose' as const),
    ...between,
    entries: fc.array(proposed, { minLength: 1, maxLength: 9 }),
  }),
  fc.record({ kind: fc.constant('read-index' as const), ...between, context: bytes }),
  fc.record({ kind: fc.constant('read-index-response' as const), ...inTerm, index: number, context: bytes }),
  fc.record({ kind: fc.constantFrom('transfer-leader' as const, 'timeout-now' as const), ...inTerm }),
);

const files: fc.Arbitrary<readonly SnapshotFile[]> = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/), fc.nat(2 ** 40), u32), {
    selector: ([name]) => name,
    maxLength: 9,
  })
  .map((list) =>
    list
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, size, crc]): SnapshotFile => ({ name, bytes: size, crc: size === 0 ? 0 : crc })),
  );

const inRound = { ...between, transfer: number, round: fc.integer({ min: 1, max: 2 ** 32 - 1 }) };
const position = { file: fc.nat(65_536), offset: number };

export const anyTransferMessage: fc.Arbitrary<TransferMessage> = fc.oneof(
  term.chain((of) =>
    fc.record({
      kind: fc.constant('snapshot-offer' as const),
      ...inRound,
      term: fc.constant(of),
      snapshot: snapshotOf(of),
      files,
    }),
  ),
  fc.record({
    kind: fc.constant('snapshot-chunk' as const),
    ...inRound,
    ...position,
    crc: u32,
    data: fc.uint8Array({ minLength: 1, maxLength: 60 }),
  }),
  fc.record({
    kind: fc.constant('snapshot-position' as const),
    ...inRound,
    ...position,
    windowBytes: u32,
    isRewind: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('snapshot-refusal' as const),
    ...inRound,
    reason: fc.constantFrom('unknown', 'older', 'busy', 'no-room', 'storage', 'checksum', 'overrun'),
  }),
  fc.record({ kind: fc.constant('snapshot-done' as const), ...between, transfer: number }),
);
