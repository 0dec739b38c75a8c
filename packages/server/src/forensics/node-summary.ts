/**
 * What it takes to decide between the directories of a lost group, without the directories: `kayactl recover quorum --describe` makes one where a directory lies, and a plan
 * is made of all of them. Page: docs/reference/kayactl.md, "recover".
 */

import type { RecoveryVerdict } from '@kayadb/engine';

import type { NodeReport, ReportedGone, ReportedLog, ReportedNode } from './node-report.ts';

export const NODE_SUMMARY_KIND = 'kayadb-node-summary';
export const NODE_SUMMARY_FORMAT = 1;

export interface NodeSummary {
  readonly kind: typeof NODE_SUMMARY_KIND;
  readonly format: typeof NODE_SUMMARY_FORMAT;
  /** Where the directory lies, on its machine. */
  readonly directory: string;
  readonly verdict: RecoveryVerdict;
  readonly live: boolean;
  readonly node: ReportedNode | null;
  readonly log: ReportedLog | null;
  readonly appliedIndex: number | null;
  /** Directories that the group has removed, as far as the store of this one says. */
  readonly gone: readonly Pick<ReportedGone, 'node' | 'incarnation'>[];
  /** The first place that is damaged, in words. */
  readonly damage: string | null;
}

export function summarizeNode(report: NodeReport): NodeSummary {
  const { directory, verdict, live, node, log, machine, start, damage } = report;
  const [first] = damage;
  return {
    kind: NODE_SUMMARY_KIND,
    format: NODE_SUMMARY_FORMAT,
    directory,
    verdict,
    live,
    node,
    log,
    appliedIndex: start.appliedIndex,
    gone: (machine?.gone ?? []).map(({ node: id, incarnation }) => ({ node: id, incarnation })),
    damage: first === undefined ? null : `${first.file} at offset ${first.offset}: ${first.reason}`,
  };
}

/** @returns `undefined` for what is no summary of this format. */
export function parseNodeSummary(text: string): NodeSummary | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isSummary(value) ? value : undefined;
}

function isSummary(value: unknown): value is NodeSummary {
  if (!isObject(value) || value['kind'] !== NODE_SUMMARY_KIND || value['format'] !== NODE_SUMMARY_FORMAT) return false;
  const { directory, verdict, live, node, log, appliedIndex, gone, damage } = value;
  return (
    typeof directory === 'string' &&
    typeof verdict === 'string' &&
    typeof live === 'boolean' &&
    (node === null || isNode(node)) &&
    (log === null || isLog(log)) &&
    (appliedIndex === null || isCount(appliedIndex)) &&
    Array.isArray(gone) &&
    gone.every(isGone) &&
    (damage === null || typeof damage === 'string')
  );
}

function isNode(value: unknown): value is ReportedNode {
  if (!isObject(value)) return false;
  const { id, incarnation, boot, cluster, removed } = value;
  return (
    [id, incarnation, boot].every(isCount) &&
    (cluster === null || typeof cluster === 'string') &&
    typeof removed === 'boolean'
  );
}

function isLog(value: unknown): value is ReportedLog {
  if (!isObject(value)) return false;
  const { term, firstIndex, lastIndex, lastTerm, commit, configuration, committedConfiguration } = value;
  return (
    [term, firstIndex, lastIndex, lastTerm, commit].every(isCount) &&
    [configuration, committedConfiguration].every(isConfiguration)
  );
}

function isGone(value: unknown): boolean {
  return isObject(value) && isCount(value['node']) && isCount(value['incarnation']);
}

function isConfiguration(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { voters, votersOutgoing, learners } = value;
  return [voters, votersOutgoing, learners].every(isNodeList);
}

function isNodeList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isCount);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
