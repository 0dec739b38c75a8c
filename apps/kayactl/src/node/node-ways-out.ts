/** The ways out for the directory of a node, best first. Pure. docs/decisions/20261122-salvage-of-a-node.md. */

import type { NodeReport, ReportedLog } from '@kayadb/server';

import { shellWord } from '../shell-word.ts';

export type NodeWayKind = 'look-again' | 'start' | 'replace' | 'quorum' | 'salvage';

export interface NodeWayOut {
  readonly kind: NodeWayKind;
  /** What to do, in a sentence. */
  readonly what: string;
  readonly loses: string;
  /** `null` where it is nothing to be typed. */
  readonly command: string | null;
}

export function nodeWaysOut(report: NodeReport): readonly NodeWayOut[] {
  const { directory, verdict, start, node, store, log } = report;
  const data = shellWord(directory);
  const ways: NodeWayOut[] = [];
  if (verdict === 'undecided') {
    ways.push({
      kind: 'look-again',
      what: 'Something could not be read, so everything below may be told too darkly: repair the access and look again.',
      loses: 'nothing',
      command: `kayactl --data ${data} recover --dry-run`,
    });
  }
  if (start.outcome === 'starts' && report.damage.length === 0) {
    ways.push({
      kind: 'start',
      what: 'Start the node: it catches up with its group by itself.',
      loses: 'nothing',
      command: null,
    });
  }
  const isAlone = log !== null && votersOf(log).every((id) => id === node?.id);
  if (report.damage.length > 0 && !isAlone) {
    ways.push({
      kind: 'replace',
      what: `If the other nodes have a majority without this one: remove node ${node?.id ?? 'of this directory'} from its group and add it again, with an empty directory. They send it everything.`,
      loses: 'nothing',
      command: node === null ? null : `kayactl --server HOST:PORT remove-node ${node.id}`,
    });
  }
  if (start.outcome === 'starts' && report.damage.length > 0 && isAlone) {
    ways.push({
      kind: 'start',
      what: 'Start the node all the same, and export its rows: reads of what is damaged fail, and others do not.',
      loses: 'nothing more than is damaged',
      command: null,
    });
  }
  if (!isAlone && log !== null) {
    ways.push({
      kind: 'quorum',
      what: 'If so many nodes are lost that the rest has no majority: compare all directories that are left, and go on with the best of them as a cluster of one.',
      loses: 'cannot be known before all directories are compared; the plan says it',
      command: `kayactl recover quorum --plan ${data}`,
    });
  }
  if (store !== null) {
    const isWhole = store.verdict === 'clean' || store.verdict === 'recoverable';
    ways.push({
      kind: 'salvage',
      what: 'Write the rows of users into a new store of the embedded engine, to be exported and imported elsewhere.',
      loses: isWhole
        ? `revisions, sessions and members${start.outcome === 'starts' && start.entriesUndecided === 0 ? '' : '; writes that are in the log alone and not known to be committed'}`
        : 'revisions, sessions and members; what the damage of the store takes with it, which the salvage says; writes that are in the log alone',
      command: `kayactl --data ${data} recover --salvage --out NEW-DIR`,
    });
  }
  return ways;
}

/** Of every configuration that may be in force. */
function votersOf({ configuration, committedConfiguration }: ReportedLog): readonly number[] {
  return [configuration, committedConfiguration].flatMap(({ voters, votersOutgoing }) => [
    ...voters,
    ...votersOutgoing,
  ]);
}

export function describeNodeWays(ways: readonly NodeWayOut[]): string {
  return ways
    .map(({ what, loses, command }, i) =>
      [`${i + 1}. ${what}`, `   loses: ${loses}`, ...(command === null ? [] : [`   $ ${command}`])].join('\n'),
    )
    .join('\n');
}
