/** What a run has been through. A suite that has not reached enough of everything has shown nothing. */

const NAMES = [
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
] as const;

export type CountName = (typeof NAMES)[number];
export type Counts = Record<CountName, number>;

export function newCounts(): Counts {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Counts;
}

export function sumCounts(all: readonly Counts[]): Counts {
  const sum = newCounts();
  for (const counts of all) for (const name of NAMES) sum[name] += counts[name];
  return sum;
}

export function describeCounts(counts: Counts): string {
  return NAMES.map((name) => `${name} ${counts[name]}`).join(', ');
}
