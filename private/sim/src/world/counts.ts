/** What a run has been through. A suite that has not reached enough of everything has shown nothing. */

const NAMES = [
  'simulatedSeconds',
  'events',
  'elections',
  'acknowledged',
  'reads',
  'snapshotsMade',
  'snapshotsInstalled',
  'compactions',
  'truncations',
  'configurations',
  'joints',
  'crashes',
  'restarts',
  'pauses',
  'partitions',
  'diskFaults',
  'nodeFailures',
  'wipes',
  'rollbacks',
  'fenced',
  'lost',
  'duplicated',
  'transfers',
  'swaps',
  'changeCuts',
  'staleLeaders',
  'applyStalls',
  'recoveries',
] as const;

export type CountName = (typeof NAMES)[number];
export type Counts = Record<CountName, number>;

export function newCounts(): Counts {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Counts;
}

/** Adds `counts` to `sum`. */
export function addCounts(sum: Counts, counts: Counts): void {
  for (const name of NAMES) sum[name] += counts[name];
}

export function describeCounts(counts: Counts): string {
  return NAMES.map((name) => `${name} ${counts[name]}`).join(', ');
}
