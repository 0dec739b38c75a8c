/** Messages between nodes for samples: each kind, with small and with large numbers. */

import { copyBytes } from '@kayadb/codec';

import { encodeConfigChange, encodeConfigChangeV1 } from '../core/config-change-encoding.ts';
import type { ConfigStep } from '../core/config-change.ts';
import type { PeerMessage } from '../core/message.ts';
import {
  type Configuration,
  type Entry,
  type EntryKind,
  type KnownCommit,
  NO_COMMIT,
  type Snapshot,
} from '../core/types.ts';
import { ENTRY_KIND, FRAME_KIND, type FrameKind, isTransferKind, REFUSAL_REASON } from '../wire/frame-format.ts';
import type { RefusalReason, SnapshotFile, TransferMessage } from '../wire/transfer-message.ts';
import type { SampleSource } from './decoder.ts';

const KINDS = Object.keys(FRAME_KIND) as FrameKind[];
const CORE_KINDS = KINDS.filter((kind) => !isTransferKind(kind));
const TRANSFER_KINDS = KINDS.filter((kind) => isTransferKind(kind));
const ENTRY_KINDS = Object.keys(ENTRY_KIND) as EntryKind[];
const STEP_KINDS = ['add-voter', 'add-learner', 'remove', 'update'] as const;
const TRANSITIONS = ['auto', 'implicit', 'explicit'] as const;
const REASONS = Object.keys(REFUSAL_REASON) as RefusalReason[];

export function samplePeerMessage(random: SampleSource): PeerMessage {
  const kind = pick(random, CORE_KINDS);
  const between = sampleNodes(random);
  const term = 2 + number(random);
  const context = random.bytes(random.int(20));
  switch (kind) {
    case 'vote':
    case 'pre-vote': {
      const lastTerm = random.int(2) * (1 + below(random, term - 1));
      const lastIndex = lastTerm === 0 ? 0 : 1 + number(random);
      const known = lastIndex === 0 ? NO_COMMIT : sampleKnownCommit(random, lastIndex, lastTerm);
      return { kind, ...between, term, lastIndex, lastTerm, ...known, isTransfer: random.chance(0.5) };
    }
    case 'vote-response':
    case 'pre-vote-response': {
      const isRejected = random.chance(0.5);
      const known = isRejected ? sampleKnownCommit(random, Number.MAX_SAFE_INTEGER, term) : NO_COMMIT;
      return { kind, ...between, term, isRejected, ...known };
    }
    case 'append': {
      const prevTerm = random.int(3) === 0 ? 0 : 1 + below(random, term - 1);
      const prevIndex = prevTerm === 0 ? 0 : 1 + number(random);
      const entries = sampleEntries(random, prevIndex, Math.max(1, prevTerm), term);
      return { kind, ...between, term, prevIndex, prevTerm, entries, commit: number(random) };
    }
    case 'append-response': {
      const isRejected = random.chance(0.5);
      const hints = { hintIndex: isRejected ? number(random) : 0, hintTerm: isRejected ? number(random) : 0 };
      return { kind, ...between, term, index: number(random), isRejected, ...hints };
    }
    case 'heartbeat':
      return { kind, ...between, term, commit: number(random), context };
    case 'heartbeat-response':
      return { kind, ...between, term, context };
    case 'snapshot':
      return { kind, ...between, term, snapshot: sampleSnapshot(random, term) };
    case 'propose': {
      const entries = [...sampleEntries(random, 0, 1, 1), sampleEntry(random)];
      return { kind, ...between, entries: entries.map((entry) => ({ ...entry, term: 0, index: 0 })) };
    }
    case 'read-index':
      return { kind, ...between, context };
    case 'read-index-response':
      return { kind, ...between, term, index: number(random), context };
    case 'transfer-leader':
    case 'timeout-now':
      return { kind, ...between, term };
  }
}

export function sampleTransferMessage(random: SampleSource): TransferMessage {
  const kind = pick(random, TRANSFER_KINDS);
  const inTransfer = { ...sampleNodes(random), transfer: number(random) };
  const round = 1 + random.int(3);
  const position = { file: random.int(5), offset: number(random) };
  switch (kind) {
    case 'snapshot-offer': {
      const term = 1 + number(random);
      return { kind, ...inTransfer, round, term, snapshot: sampleSnapshot(random, term), files: sampleFiles(random) };
    }
    case 'snapshot-chunk': {
      const data = random.bytes(1 + random.int(30));
      return { kind, ...inTransfer, round, ...position, crc: random.int(2 ** 32), data };
    }
    case 'snapshot-position': {
      const windowBytes = random.int(2 ** 32);
      return { kind, ...inTransfer, round, ...position, windowBytes, isRewind: random.chance(0.5) };
    }
    case 'snapshot-refusal':
      return { kind, ...inTransfer, round, reason: pick(random, REASONS) };
    case 'snapshot-done':
      return { kind, ...inTransfer };
  }
}

/** An entry of the log that ends like this, or none. Requires: 1 or more of both. */
function sampleKnownCommit(random: SampleSource, lastIndex: number, lastTerm: number): KnownCommit {
  if (random.chance(0.3)) return NO_COMMIT;
  return { commit: 1 + below(random, lastIndex), commitTerm: 1 + below(random, lastTerm) };
}

/** Of term `maxTerm` at most. */
export function sampleSnapshot(random: SampleSource, maxTerm: number): Snapshot {
  const index = 1 + number(random);
  const term = 1 + below(random, maxTerm);
  return { meta: { index, term, configuration: sampleConfiguration(random) }, data: random.bytes(random.int(20)) };
}

export function sampleFiles(random: SampleSource): readonly SnapshotFile[] {
  const count = random.int(4);
  const file = (i: number): SnapshotFile => {
    const bytes = random.int(3) * random.int(5000);
    return { name: `${String(i).padStart(6, '0')}.sst`, bytes, crc: bytes === 0 ? 0 : random.int(2 ** 32) };
  };
  return Array.from({ length: count }, (_, i) => file(i));
}

function sampleConfiguration(random: SampleSource): Configuration {
  const isJoint = random.chance(0.4);
  return {
    voters: [1, 2, 3 + random.int(3)],
    votersOutgoing: isJoint ? [2, 9, 10] : [],
    learners: random.chance(0.5) ? [6, 7 + random.int(2)] : [],
    learnersNext: isJoint && random.chance(0.5) ? [9] : [],
    autoLeave: isJoint && random.chance(0.5),
  };
}

function sampleEntries(random: SampleSource, prevIndex: number, minTerm: number, maxTerm: number): readonly Entry[] {
  const entries: Entry[] = [];
  let term = minTerm;
  for (let left = random.int(5); left > 0; left--) {
    if (random.chance(0.3)) term += random.int(Math.min(maxTerm - term + 1, 300));
    entries.push({ ...sampleEntry(random), term, index: prevIndex + entries.length + 1 });
  }
  return entries;
}

function sampleEntry(random: SampleSource): Entry {
  const kind = pick(random, ENTRY_KINDS);
  if (kind === 'normal') return { term: 0, index: 0, kind, data: random.bytes(random.int(12)) };
  return { term: 0, index: 0, kind, data: sampleConfigChange(random, kind) };
}

/** The data of an entry that changes the group. */
export function sampleConfigChange(random: SampleSource, kind: Exclude<EntryKind, 'normal'>): Uint8Array {
  const step = (): ConfigStep => ({ kind: pick(random, STEP_KINDS), node: random.int(400) });
  const context = random.bytes(random.int(3));
  if (kind === 'config-v1') return copyBytes(encodeConfigChangeV1({ step: step(), context }));
  const steps = Array.from({ length: random.int(4) }, step);
  return copyBytes(encodeConfigChange({ transition: pick(random, TRANSITIONS), steps, context }));
}

function sampleNodes(random: SampleSource): { readonly from: number; readonly to: number } {
  return { from: 1 + random.int(5), to: random.chance(0.1) ? Number.MAX_SAFE_INTEGER - 2 : 1 + random.int(5) };
}

/** Mostly small, sometimes of more than 32 bits; 2^40 below the limit, so that a sample may count on. */
function number(random: SampleSource): number {
  if (random.chance(0.8)) return random.int(300);
  return random.chance(0.5) ? random.int(2 ** 32) : Number.MAX_SAFE_INTEGER - 2 ** 40 + random.int(2 ** 32);
}

/** Below `limit`, which may have more than the 32 bits that the source gives. */
function below(random: SampleSource, limit: number): number {
  return random.int(Math.min(limit, 2 ** 32));
}

function pick<Item>(random: SampleSource, items: readonly Item[]): Item {
  return items[random.int(items.length)]!;
}
