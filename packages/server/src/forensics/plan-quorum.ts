/**
 * Which of the directories that are left of a group is to go on, and what that may lose. Pure. docs/decisions/20261122-lost-quorum.md.
 *
 * Invariant: of all directories that can be read, the first has every entry that is committed and in any of them: the larger last term wins, then the larger last index, as in an
 * election (paper section 5.4.1). Of a committed entry that is in none of them nobody here can know.
 */

import type { Configuration } from '@kayadb/raft';

import type { ReportedNode, ReportedLog } from './node-report.ts';
import type { NodeSummary } from './node-summary.ts';

export interface QuorumSource {
  /** As the operator named it: a directory here, or a file with a summary. */
  readonly name: string;
  /** Whether the directory is on this machine. */
  readonly isDirectory: boolean;
  readonly summary: NodeSummary;
}

export interface QuorumCandidate {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly directory: string;
  readonly node: number | null;
  readonly incarnation: number | null;
  readonly lastTerm: number | null;
  readonly lastIndex: number | null;
  /** The last entry that it knows to be committed. */
  readonly commit: number | null;
  readonly isVoter: boolean;
  /** Why it can not go on; `null`: it can. */
  readonly flaw: string | null;
}

/**
 * - `nothing`: every entry that was ever acknowledged is in the first directory.
 * - `unknown`: so many voters are missing that a majority of them alone may have acknowledged writes.
 */
export type QuorumLoss = 'nothing' | 'unknown';

export interface QuorumPlan {
  readonly format: 1;
  /** 32 hex digits. */
  readonly cluster: string;
  /** Best first; those that can not go on last. */
  readonly candidates: readonly QuorumCandidate[];
  readonly voters: readonly number[];
  /** The voters before the change under way, also one that is not known to be committed; mostly none. */
  readonly votersOutgoing: readonly number[];
  /** Voters of which there is a directory that can be read. */
  readonly present: readonly number[];
  readonly missing: readonly number[];
  /** The present ones are enough: they are to be started, and nothing else is to be done. */
  readonly hasQuorum: boolean;
  /** The largest commit index that anybody knows. */
  readonly knownCommit: number;
  /** Entries behind it that are kept: they may have been acknowledged. */
  readonly undecidedEntries: number;
  readonly loss: QuorumLoss;
  readonly warnings: readonly string[];
  /** Why the first can not be made a cluster of its own; empty: it can. */
  readonly refusals: readonly string[];
}

interface Usable {
  readonly source: QuorumSource;
  readonly node: ReportedNode;
  readonly log: ReportedLog;
}

/** @throws RangeError without sources, or when they are of several clusters: the sentence says which. */
export function planQuorum(sources: readonly QuorumSource[]): QuorumPlan {
  const cluster = clusterOf(sources);
  const warnings: string[] = [];
  const usable = withoutDoubles(sources.flatMap(toUsable).toSorted(byRank), warnings);
  const [best] = usable;
  const inForce = configurationsOf(best, usable);
  const voters = best?.log.configuration.voters ?? [];
  const votersOutgoing = votersBefore(inForce);
  const electors = [...new Set([...voters, ...votersOutgoing])].toSorted((a, b) => a - b);
  const isOut = ({ node }: Usable): boolean => node.removed || wasReplaced(node, sources);
  const present = electors.filter((id) => usable.some((each) => each.node.id === id && !isOut(each)));
  const missing = electors.filter((id) => !present.includes(id));
  const hasQuorum =
    best !== undefined && inForce.every((each) => halvesOf(each).every((half) => hasMajority(half, present)));
  const isComplete = inForce.every((each) =>
    halvesOf(each).some((half) => half.length > 0 && !hasMajority(half, missing)),
  );
  const knownCommit = Math.max(
    0,
    ...usable.map(({ log, source }) => Math.max(log.commit, source.summary.appliedIndex ?? 0)),
  );
  const candidates = [
    ...usable.map(({ source }) => source),
    ...sources.filter((source) => !usable.some((each) => each.source === source)),
  ];
  warnings.push(
    ...warnAbout(best, usable, knownCommit),
    ...usable.filter(isOut).map(warnOfOutsider),
    ...sources.flatMap(warnOfDamage),
  );
  return {
    format: 1,
    cluster,
    candidates: candidates.map((source) => describe(source, electors, usable)),
    voters,
    votersOutgoing,
    present,
    missing,
    hasQuorum,
    knownCommit,
    undecidedEntries: best === undefined ? 0 : Math.max(0, best.log.lastIndex - knownCommit),
    loss: best !== undefined && isComplete ? 'nothing' : 'unknown',
    warnings,
    refusals: refusalsOf(best, sources, hasQuorum),
  };
}

function clusterOf(sources: readonly QuorumSource[]): string {
  const clusters = new Map<string, string>();
  for (const { name, summary } of sources)
    if (summary.node?.cluster !== undefined && summary.node.cluster !== null) clusters.set(summary.node.cluster, name);
  const [[cluster, name] = [], ...others] = clusters;
  if (cluster === undefined) throw new RangeError('none of the directories is of a node that was in a cluster');
  const [other] = others;
  if (other === undefined) return cluster;
  throw new RangeError(
    `${name} is of cluster ${cluster}, and ${other[1]} of cluster ${other[0]}; name the directories of one cluster`,
  );
}

function toUsable(source: QuorumSource): readonly Usable[] {
  const { node, log } = source.summary;
  return node === null || log === null || flawOf(source) !== null ? [] : [{ source, node, log }];
}

function flawOf({ summary: { verdict, live, damage, node, log } }: QuorumSource): string | null {
  if (damage !== null) return `damaged: ${damage}`;
  if (node === null) return 'it does not say whose it is';
  if (node.cluster === null || log === null || log.lastIndex === 0) return 'it holds nothing of the group yet';
  if (live) return 'a process has it open, or may have: stop that, or see kayactl unlock';
  return verdict === 'clean' || verdict === 'recoverable' ? null : `it is ${verdict}`;
}

function byRank(a: Usable, b: Usable): number {
  return (
    b.log.lastTerm - a.log.lastTerm ||
    b.log.lastIndex - a.log.lastIndex ||
    b.log.commit - a.log.commit ||
    a.node.id - b.node.id
  );
}

/** Of two directories of one node the better one counts. */
function withoutDoubles(usable: readonly Usable[], warnings: string[]): readonly Usable[] {
  return usable.filter(({ node, source }, at) => {
    const before = usable.slice(0, at).find((each) => each.node.id === node.id);
    if (before === undefined) return true;
    warnings.push(`${source.name} and ${before.source.name} are both of node ${node.id}; the second counts`);
    return false;
  });
}

/**
 * Those that a majority may have to be of: that of the last entry that anybody knows to be committed, and behind it that of the best log, whose last change may never have come into force. There are
 * no others between them, for a change gets into a log when the one before it is committed.
 */
function configurationsOf(best: Usable | undefined, usable: readonly Usable[]): readonly Configuration[] {
  if (best === undefined) return [];
  const informed = usable.reduce((most, each) => (each.log.commit > most.log.commit ? each : most), best);
  return [informed.log.committedConfiguration, best.log.configuration];
}

/** Voters that count beside those of the last configuration. */
function votersBefore([committed, last]: readonly Configuration[]): readonly number[] {
  if (committed === undefined || last === undefined) return [];
  const before = [last.votersOutgoing, committed.votersOutgoing].find((half) => half.length > 0) ?? committed.voters;
  return before.length === last.voters.length && countIn(before, last.voters) === before.length ? [] : before;
}

/** A majority is one of each. */
function halvesOf({ voters, votersOutgoing }: Configuration): readonly (readonly number[])[] {
  return votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
}

function hasMajority(half: readonly number[], nodes: readonly number[]): boolean {
  return countIn(half, nodes) > half.length / 2;
}

function countIn(nodes: readonly number[], among: readonly number[]): number {
  return nodes.filter((node) => among.includes(node)).length;
}

function describe(source: QuorumSource, electors: readonly number[], usable: readonly Usable[]): QuorumCandidate {
  const { name, isDirectory, summary } = source;
  const { directory, node, log } = summary;
  const flaw =
    flawOf(source) ??
    (usable.some((each) => each.source === source) ? null : 'another directory of this node is as far, or further');
  return {
    name,
    isDirectory,
    directory,
    node: node?.id ?? null,
    incarnation: node?.incarnation ?? null,
    lastTerm: log?.lastTerm ?? null,
    lastIndex: log?.lastIndex ?? null,
    commit: log?.commit ?? null,
    isVoter: node !== null && electors.includes(node.id),
    flaw,
  };
}

function warnAbout(best: Usable | undefined, usable: readonly Usable[], knownCommit: number): readonly string[] {
  if (best === undefined) return [];
  const warnings: string[] = [];
  for (const { log, source } of usable) {
    if (log.lastIndex > best.log.lastIndex) {
      warnings.push(
        `${source.name}: its entries behind the place where it agrees with node ${best.node.id} are of older terms: they were never committed, and are given up`,
      );
    }
  }
  if (knownCommit > best.log.lastIndex) {
    warnings.push(
      `entries up to ${knownCommit} are committed, and ${best.source.name} ends at ${best.log.lastIndex}: one of the directories was set back; look for a later copy of it`,
    );
  }
  return warnings;
}

/** The group has another directory for the number, or none: this one takes no part any more. */
function wasReplaced({ id, incarnation }: ReportedNode, sources: readonly QuorumSource[]): boolean {
  return sources.some(({ summary }) =>
    summary.gone.some((gone) => gone.node === id && gone.incarnation === incarnation),
  );
}

function warnOfOutsider({ node, source }: Usable): string {
  return `${source.name}: the group has removed node ${node.id} with this directory, so it counts for no majority, and may have missed what came after`;
}

/** What is in it and in no other directory nobody can tell from here. */
function warnOfDamage({ name, summary: { damage, node, directory } }: QuorumSource): readonly string[] {
  if (damage === null) return [];
  const whose = node === null ? 'it' : `node ${node.id}`;
  return [
    `${name}: ${whose} is damaged, and may have committed writes that are in none of the others: before you go on without it, see what can be saved of ${directory} with kayactl recover --plan`,
  ];
}

function refusalsOf(best: Usable | undefined, sources: readonly QuorumSource[], hasQuorum: boolean): readonly string[] {
  if (best === undefined)
    return ['none of the directories can be read whole; see what can be saved of them with kayactl recover --plan'];
  const refusals: string[] = [];
  if (hasQuorum)
    refusals.push('a majority of the voters is here: start these nodes, and they elect a leader and lose nothing');
  for (const { name, summary } of sources)
    if (summary.live) refusals.push(`a process has ${name} open, or may have: stop it, or see kayactl unlock`);
  return refusals;
}
