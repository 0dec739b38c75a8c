/** What a run of whole servers has been through. */

const NAMES = [
  'simulatedSeconds',
  'events',
  'elections',
  'operations',
  'written',
  'retried',
  'repeated',
  'unknown',
  'expired',
  'scans',
  'oldReads',
  'snapshotsMade',
  'snapshotsInstalled',
  'flushes',
  'compactions',
  'connections',
  'crashes',
  'stops',
  'restarts',
  'pauses',
  'partitions',
  'clockJumps',
  'diskFaults',
  'nodeFailures',
  'wipes',
  'fenced',
  'changes',
  'transfers',
  'comparisons',
  'recoveries',
] as const;

export type ServerCountName = (typeof NAMES)[number];
export type ServerCounts = Record<ServerCountName, number>;

export function newServerCounts(): ServerCounts {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as ServerCounts;
}
