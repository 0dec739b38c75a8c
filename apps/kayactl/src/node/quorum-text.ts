/** What a plan for a lost quorum says, and what there is to do when a new cluster was made. */

import type { FoundCluster, QuorumCandidate, QuorumPlan } from '@kayadb/server';

import { countText, groupText } from '../count-text.ts';
import { shellWord } from '../shell-word.ts';
import { formatTable } from '../table-text.ts';

/** @param names - As the operator gave the sources. */
export async function describeQuorumPlan(plan: QuorumPlan, names: readonly string[]): Promise<string> {
  const { cluster, candidates, warnings } = plan;
  const sections = [
    `cluster ${cluster}\n${describeVoters(plan)}`,
    await formatTable(
      ['SOURCE', 'NODE', 'LAST TERM', 'LAST INDEX', 'COMMITTED', 'VOTER', 'STATE'],
      candidates.map(describeCandidate),
    ),
    describeOutcome(plan),
    warnings.map((warning) => `WARNING: ${warning}`).join('\n'),
    describeNext(plan, names),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

function describeVoters({ voters, votersOutgoing, present, missing, hasQuorum }: QuorumPlan): string {
  const before = votersOutgoing.length === 0 ? '' : `, before the change under way ${list(votersOutgoing)}`;
  return `voters  ${list(voters)}${before}\nhere    ${list(present)}\nmissing ${list(missing)}: ${hasQuorum ? 'a majority is here' : 'no majority is here'}`;
}

function describeCandidate(
  { name, node, lastTerm, lastIndex, commit, isVoter, flaw }: QuorumCandidate,
  at: number,
): readonly string[] {
  const state = flaw ?? (at === 0 ? 'the best' : 'whole');
  return [name, show(node), show(lastTerm), show(lastIndex), show(commit), isVoter ? 'yes' : 'no', state];
}

function describeOutcome(plan: QuorumPlan): string {
  const { candidates, undecidedEntries, loss, missing, present, knownCommit } = plan;
  const electors = [...present, ...missing];
  const [best] = candidates;
  if (best === undefined || best.flaw !== null) return '';
  const [folders, lack] = candidates.some(({ flaw }) => flaw !== null)
    ? ['the folders that are whole', 'missing, or not whole,']
    : ['these folders', 'missing,'];
  const isWhole = `every committed write that is in any of ${folders} is in it`;
  const undecided =
    undecidedEntries === 0
      ? ''
      : `\nkept too: ${countText(undecidedEntries, 'entry', 'entries')} behind ${knownCommit}, of which nobody here knows whether they were acknowledged`;
  const lost =
    loss === 'nothing'
      ? 'lost     nothing: no majority of the voters is among the missing, so nothing was acknowledged without one of these folders'
      : `lost     cannot be known: ${missing.length} of ${countText(electors.length, 'voter')} are ${lack} and together they may have acknowledged writes that are in none of ${folders}`;
  return `best     node ${best.node}: ${isWhole}\nkept     everything up to entry ${best.lastIndex} of term ${best.lastTerm}${undecided}\n${lost}`;
}

function describeNext({ refusals, candidates, cluster }: QuorumPlan, names: readonly string[]): string {
  if (refusals.length > 0) return refusals.map((refusal) => `NOT TO BE DONE: ${refusal}`).join('\n');
  const [best] = candidates;
  if (best === undefined) return '';
  const sources = names.map((name) => (name === best.name ? best.directory : name));
  const command = `kayactl recover quorum --apply ${(best.isDirectory ? names : sources).map(shellWord).join(' ')} --out NEW-DIR --confirm ${cluster}`;
  return best.isDirectory
    ? `To go on with node ${best.node} alone:\n$ ${command}`
    : `To go on with node ${best.node} alone, on the machine where ${best.directory} lies and ${best.name} was made:\n$ ${command}`;
}

export function describeFounding(founded: FoundCluster, plan: QuorumPlan): string {
  const { directory, target, node, oldCluster, cluster, lastIndex, baseIndex, dropped } = founded;
  const others = [...new Set([...plan.voters, ...plan.votersOutgoing, ...dropped])]
    .filter((id) => id !== node)
    .toSorted((a, b) => a - b);
  return [
    `OK node ${node} is a cluster of its own in ${target}`,
    `from     ${directory}, which is as it was`,
    `cluster  ${cluster}, in the place of ${oldCluster}`,
    `kept     everything up to entry ${lastIndex}; revisions go on behind ${groupText(baseIndex)}, so that none is given twice`,
    '',
    'Next:',
    `1. Start it, without --peer: kayadb-server --node-id ${node} --data ${shellWord(target)} ...`,
    `2. See that it leads: kayactl --server HOST:PORT members`,
    others.length === 0
      ? '3. Add nodes, each with an empty folder: kayactl --server HOST:PORT add-node'
      : `3. Bring ${others.length === 1 ? 'node' : 'nodes'} ${others.join(', ')} back, each with an EMPTY folder and --join-cluster: kayactl --server HOST:PORT add-node`,
    `4. Keep the old folders until the new cluster has been looked at; never start a node with one of them again.`,
  ].join('\n');
}

function list(nodes: readonly number[]): string {
  return nodes.length === 0 ? 'none' : nodes.join(', ');
}

function show(value: number | null): string {
  return value === null ? '-' : String(value);
}
