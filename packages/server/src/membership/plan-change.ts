/**
 * What a change of the group would do to what it can bear, before anybody proposes it: pure arithmetic over who votes and who answers.
 *
 * Invariant: a change that is allowed leaves a majority of the new voters answering, so the group that it makes can go on at once.
 */

export interface MemberView {
  readonly node: number;
  readonly isVoter: boolean;
  /** Whether the leader hears from it. The leader hears itself. */
  readonly isAnswering: boolean;
}

export type MembershipChange =
  | { readonly kind: 'add'; readonly node: number }
  | { readonly kind: 'promote'; readonly node: number }
  | { readonly kind: 'remove'; readonly node: number };

/** A set of voters, and what follows from its size. */
export interface Strength {
  readonly voters: readonly number[];
  readonly quorum: number;
  /** How many voters may fail without the group stopping: by their number. */
  readonly tolerates: number;
  /** Voters that answer now. */
  readonly answering: readonly number[];
}

export interface ChangePlan {
  readonly change: MembershipChange;
  readonly before: Strength;
  readonly after: Strength;
  /** One sentence, with the arithmetic; undefined when it may be done. */
  readonly refusal: string | undefined;
  /** What is worth knowing before doing it. */
  readonly notes: readonly string[];
}

/** @param members - All of them, in any order. */
export function planChange(members: readonly MemberView[], change: MembershipChange): ChangePlan {
  const before = strengthOf(members);
  const after = strengthOf(membersAfter(members, change));
  const refusal = findMistake(members, change) ?? findLoss(before, after, change);
  return { change, before, after, refusal, notes: refusal === undefined ? notesOn(before, after, change) : [] };
}

function strengthOf(members: readonly MemberView[]): Strength {
  const voters = members.filter(({ isVoter }) => isVoter).toSorted((a, b) => a.node - b.node);
  const quorum = Math.floor(voters.length / 2) + 1;
  return {
    voters: voters.map(({ node }) => node),
    quorum,
    tolerates: Math.max(0, voters.length - quorum),
    answering: voters.filter(({ isAnswering }) => isAnswering).map(({ node }) => node),
  };
}

function membersAfter(members: readonly MemberView[], { kind, node }: MembershipChange): readonly MemberView[] {
  switch (kind) {
    case 'add':
      return members;
    case 'promote':
      return members.map((member) => (member.node === node ? { ...member, isVoter: true } : member));
    case 'remove':
      return members.filter((member) => member.node !== node);
  }
}

function findMistake(members: readonly MemberView[], { kind, node }: MembershipChange): string | undefined {
  const member = members.find((each) => each.node === node);
  if (kind === 'add') {
    if (member === undefined) return undefined;
    return `node ${node} is a ${member.isVoter ? 'voter' : 'learner'} already; choose another id, or remove it first`;
  }
  if (member === undefined) {
    return `node ${node} is no member; the members are ${listNodes(members.map((each) => each.node))}`;
  }
  if (kind === 'promote' && member.isVoter) return `node ${node} is a voter already`;
  return undefined;
}

function findLoss(before: Strength, after: Strength, change: MembershipChange): string | undefined {
  if (after.voters.length === 0) return `node ${change.node} is the only voter; a group without one can do nothing`;
  if (sameNodes(before.voters, after.voters) || after.answering.length >= after.quorum) return undefined;
  const silent = after.voters.filter((node) => !after.answering.includes(node));
  const sum = `of ${after.voters.length} voters ${after.quorum} must answer, and ${after.answering.length} would`;
  return `the group would lose its quorum: ${sum}; ${describeSilent(silent)}: bring it back, or remove it first`;
}

function describeSilent(silent: readonly number[]): string {
  return silent.length === 1 ? `node ${silent[0]} does not answer` : `nodes ${listNodes(silent)} do not answer`;
}

function notesOn(before: Strength, after: Strength, change: MembershipChange): readonly string[] {
  const notes: string[] = [];
  if (change.kind === 'add') notes.push(`node ${change.node} begins as a learner, which has no vote`);
  if (sameNodes(before.voters, after.voters)) return notes;
  const spare = after.answering.length - after.quorum;
  if (after.voters.length > 1 && after.voters.length % 2 === 0) {
    const fewer = after.voters.length - 1;
    notes.push(`${after.voters.length} voters tolerate ${failures(after.tolerates)}, no more than ${fewer} would`);
  }
  if (spare === 0 && after.tolerates > 0) {
    notes.push('every voter that answers now is needed: the next failure stops the group');
  }
  if (after.tolerates < before.tolerates) {
    notes.push(`the group will tolerate ${failures(after.tolerates)} instead of ${before.tolerates}`);
  }
  return notes;
}

function failures(count: number): string {
  return count === 1 ? '1 failure' : `${count} failures`;
}

function listNodes(nodes: readonly number[]): string {
  return nodes.toSorted((a, b) => a - b).join(', ');
}

function sameNodes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((node, i) => node === b[i]);
}
