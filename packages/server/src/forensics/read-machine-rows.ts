/** The rows that the state machine keeps for itself, read for people: members, who is gone, sessions and how many answers each has. Format: docs/format/state-machine.md, "Rows". */

import {
  ANSWER_PREFIX,
  decodeGoneRow,
  decodeSessionRow,
  GONE_PREFIX,
  numberIn,
  secondNumberIn,
  SESSION_PREFIX,
} from '../machine/rows.ts';
import type { ReportedGone, ReportedMember } from './node-report.ts';
import type { NodeRows } from './node-rows.ts';

export interface ReportedSession {
  readonly id: number;
  readonly expiryMs: number;
  /** Milliseconds since 1970, to within a tenth of the expiry. */
  readonly usedMs: number;
  readonly answerCount: number;
}

export interface MachineRows {
  /** The entry of which this is the state. */
  readonly appliedIndex: number;
  /** The last command. */
  readonly index: number;
  readonly term: number;
  readonly timeMs: number;
  readonly level: number;
  readonly members: readonly ReportedMember[];
  readonly gone: readonly ReportedGone[];
  readonly sessions: readonly ReportedSession[];
}

/** By node, node and id, ascending. @throws CorruptionError, DecodeError */
export async function readMachineRows(rows: NodeRows): Promise<MachineRows> {
  const answers = new Map<number, number>();
  for await (const { key } of rows.raw({ prefix: ANSWER_PREFIX })) {
    const id = numberIn(key, ANSWER_PREFIX);
    answers.set(id, (answers.get(id) ?? 0) + 1);
  }
  const sessions: ReportedSession[] = [];
  for await (const { key, value } of rows.raw({ prefix: SESSION_PREFIX })) {
    const id = numberIn(key, SESSION_PREFIX);
    sessions.push({ id, ...decodeSessionRow(value), answerCount: answers.get(id) ?? 0 });
  }
  const gone: ReportedGone[] = [];
  for await (const { key, value } of rows.raw({ prefix: GONE_PREFIX })) {
    gone.push({
      node: numberIn(key, GONE_PREFIX),
      incarnation: secondNumberIn(key, GONE_PREFIX),
      index: decodeGoneRow(value),
    });
  }
  const { row, members } = rows.state;
  return {
    appliedIndex: rows.appliedIndex,
    ...row,
    members: Array.from(members.values()).toSorted((a, b) => a.node - b.node),
    gone,
    sessions,
  };
}
