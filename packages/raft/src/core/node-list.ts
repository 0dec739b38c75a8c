/** Lists of node ids that ascend and have nobody twice: the shape in which who is in a group is kept. Nothing here changes its arguments. */

import type { NodeId } from './types.ts';

/** The same list when `id` is in it. */
export function withNode(ids: readonly NodeId[], id: NodeId): readonly NodeId[] {
  if (ids.includes(id)) return ids;
  const at = ids.findIndex((other) => other > id);
  return at < 0 ? [...ids, id] : ids.toSpliced(at, 0, id);
}

/** The same list when `id` is not in it. */
export function withoutNode(ids: readonly NodeId[], id: NodeId): readonly NodeId[] {
  return ids.includes(id) ? ids.filter((other) => other !== id) : ids;
}

/** Everybody who is in any of `lists`. */
export function unionOfNodes(...lists: readonly (readonly NodeId[])[]): readonly NodeId[] {
  return [...new Set(lists.flat())].toSorted((a, b) => a - b);
}

/** How many are in one of the lists only. */
export function countDifference(a: readonly NodeId[], b: readonly NodeId[]): number {
  return a.filter((id) => !b.includes(id)).length + b.filter((id) => !a.includes(id)).length;
}

/** Whether every id is an integer, at least 1, and larger than the one before. */
export function isNodeList(ids: readonly NodeId[]): boolean {
  return ids.every((id, at) => Number.isSafeInteger(id) && id > (at === 0 ? 0 : ids[at - 1]!));
}
