/** A node as plain data, for what looks at one: node 1 of three, which leads, unless a test says otherwise. */

import type { EngineStats } from '@kayadb/engine';
import { EMPTY_CONFIGURATION, type NodeId, type NodeStatus, type ProgressView } from '@kayadb/raft';
import type { PeerIdentity } from '@kayadb/transport';

import { resolveLimits } from '../../src/limits.ts';
import type { Member } from '../../src/machine/command.ts';
import type { MachineView, NodeView } from '../../src/node-view.ts';

export const PLAIN_ENGINE_STATS: EngineStats = {
  putCount: 11,
  deleteCount: 3,
  getCount: 8,
  scanCount: 2,
  coldGetCount: 1,
  getTotalUs: 500,
  getMaxUs: 400,
  scanTotalUs: 900,
  scanMaxUs: 600,
  walBytesWritten: 0,
  walFsyncCount: 0,
  walFsyncTotalUs: 0,
  walFsyncMaxUs: 0,
  flushCount: 4,
  flushTotalUs: 4_000_000,
  flushMaxUs: 2_000_000,
  compactionCount: 2,
  compactionTotalUs: 3_000_000,
  compactionMaxUs: 2_500_000,
  compactionBytesRead: 9_000,
  compactionBytesWritten: 7_000,
  stallCount: 1,
  stallTotalUs: 250_000,
  blockCacheHits: 90,
  blockCacheMisses: 10,
  blockCacheBytes: 5_000,
  memtableEntries: 6,
  memtableBytes: 600,
  tableCount: 3,
  tableBytes: 30_000,
  levels: [
    { tableCount: 1, bytes: 10_000, entryCount: 100 },
    { tableCount: 2, bytes: 20_000, entryCount: 200 },
  ],
  lastSequence: 42,
  durableIndex: 40,
  rangeDeletes: 0,
  slowedBytes: 100,
  slowedTotalUs: 1_000_000,
  tableIndexBytes: 300,
  memoryBytes: 64_000_000,
  openSnapshots: 1,
  recoveryDurationUs: 1_500,
  recoveredRecords: 0,
  truncatedBytes: 0,
  diskState: 'ok',
  diskAvailableBytes: 1_000_000_000,
  diskReserveBytes: 64_000,
  scrubCount: 0,
  scrubTotalUs: 0,
  scrubLast: null,
  scrubDamageCount: 0,
  scrubDamage: [],
};

export function plainMember(node: number, changes: Partial<Member> = {}): Member {
  return {
    node,
    incarnation: 100 + node,
    level: 1,
    isToBePromoted: false,
    peerAddress: `n${node}:7481`,
    clientAddress: `n${node}:7379`,
    ...changes,
  };
}

export function plainMachine(changes: Partial<MachineView> = {}): MachineView {
  return {
    level: 1,
    sessionCount: 5,
    timeMs: 1_750_000_000_000,
    diskState: 'ok',
    members: [plainMember(1), plainMember(2), plainMember(3)],
    stats: () => PLAIN_ENGINE_STATS,
    ...changes,
  };
}

export function plainProgress(changes: Partial<ProgressView> = {}): ProgressView {
  return {
    state: 'replicate',
    match: 42,
    next: 43,
    isLearner: false,
    isPaused: false,
    pendingSnapshot: 0,
    isRecentlyActive: true,
    answerCount: 0,
    inflightCount: 0,
    isInflightFull: false,
    ...changes,
  };
}

export function plainRaft(changes: Partial<NodeStatus> = {}): NodeStatus {
  return {
    id: 1,
    term: 3,
    vote: 1,
    role: 'leader',
    leader: 1,
    isLearner: false,
    transferTarget: 0,
    commit: 42,
    applying: 42,
    applied: 40,
    appliedIndex: 40,
    firstIndex: 7,
    lastIndex: 45,
    lastTerm: 3,
    configuration: { ...EMPTY_CONFIGURATION, voters: [1, 2, 3] },
    progress: new Map([
      [1, plainProgress({ match: 45, next: 46 })],
      [2, plainProgress()],
      [3, plainProgress({ match: 30, next: 31, isRecentlyActive: false, inflightCount: 2 })],
    ]),
    electionElapsedTicks: 1,
    randomizedElectionTicks: 14,
    uncommittedBytes: 77,
    proposalCount: 1,
    readCount: 2,
    inboxLength: 0,
    writeCount: 1,
    isDiskFull: false,
    isMakingSnapshot: false,
    refusedMessages: 0,
    droppedMessages: 0,
    endError: undefined,
    ...changes,
  };
}

export function plainCertificate(notAfterMs: number): PeerIdentity {
  return {
    subject: 'CN=n1',
    dnsNames: ['n1'],
    ipAddresses: [],
    spkiSha256: 'ab'.repeat(32),
    notBeforeMs: 0,
    notAfterMs,
  };
}

export function plainLink(
  state: 'up' | 'waiting',
): NodeView['links'] extends ReadonlyMap<NodeId, infer Link> ? Link : never {
  return { state, counts: { queuedFrames: 1, queuedBytes: 20, droppedFrames: 3, connections: 4 } };
}

export function plainView(changes: Partial<NodeView> = {}): NodeView {
  return {
    nodeId: 1,
    version: '1.2.3',
    cluster: '00112233445566778899aabbccddeeff',
    incarnation: 101,
    boot: 2,
    uptimeMs: 61_000.4,
    phase: 'running',
    isStopping: false,
    endError: undefined,
    peerAddress: 'n1:7481',
    clientAddress: 'n1:7379',
    missing: [],
    raft: plainRaft(),
    machine: plainMachine(),
    door: {
      counts: { open: 3, accepted: 30, refusedTotal: 2, refusedPerAddress: 1, handshaking: 1, failedHandshakes: 4 },
      heldBytes: 1_000,
      failedAttempts: 5,
      openScans: 6,
    },
    storage: { oldestSyncMs: 0, syncCount: 10, syncTotalMs: 25, syncMaxMs: 6 },
    tls: { isOnForNodes: true, isOnForClients: true, own: plainCertificate(Date.UTC(2030, 0)) },
    hasClientToken: true,
    hasOperatorToken: true,
    keepsLeases: false,
    timing: { heartbeatMs: 100, electionMs: 500 },
    limits: resolveLimits(),
    links: new Map([
      [2, plainLink('up')],
      [3, plainLink('waiting')],
    ]),
    shipments: new Map(),
    ...changes,
  };
}

/** Waits for the others of its group. */
export function formingView(): NodeView {
  return plainView({
    phase: 'forming',
    cluster: undefined,
    missing: [2, 3],
    raft: undefined,
    machine: undefined,
    links: new Map(),
  });
}

/** Has a cluster, and reads its log. */
export function openingView(): NodeView {
  return plainView({ phase: 'opening', raft: undefined, machine: undefined, links: new Map() });
}
