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
export function addCounts<Name extends string>(
  sum: Record<Name, number>,
  counts: Readonly<Record<Name, number>>,
): void {
  for (const name of Object.keys(sum) as Name[]) sum[name] += counts[name];
}

export function describeCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
