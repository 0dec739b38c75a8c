/** One life of a writer, from its orders to its end, with everything that it says taken down and judged. */

import type { Findings } from '../report.ts';
import type { StoreRecord } from './store-record.ts';
import { stepOf } from './store-record.ts';
import type { WriterEnd, WriterProcess } from './writer-process.ts';
import type { WriterError, WriterLine, WriterOrders } from './writer-protocol.ts';

export interface LifeParts {
  readonly writer: WriterProcess;
  readonly orders: WriterOrders;
  readonly record: StoreRecord;
  readonly findings: Findings;
  /** Which life it was, and how to see it again; ends each finding. */
  readonly where: string;
  /** Codes that this life may be refused with. Default none. */
  readonly allowed?: readonly string[];
  /** Told of each line after it was taken down, in the order they were said. */
  readonly onLine?: (line: WriterLine) => void;
}

export interface Life {
  readonly end: WriterEnd;
  /** What the store said when it was opened; undefined when that did not come about. */
  readonly opened: Extract<WriterLine, { readonly kind: 'opened' }> | undefined;
  readonly tookOverLock: boolean;
  readonly isClosed: boolean;
  /** Merges that were being asked for when it ended. */
  readonly openCompactions: number;
  readonly flushes: number;
  readonly compactions: number;
  readonly scrubs: number;
  readonly checkpoints: readonly string[];
  /** Of every refusal. */
  readonly refusals: readonly WriterError[];
  /** Of the opening, when it was refused. */
  readonly refusedOpening: WriterError | undefined;
}

export async function liveOnce(parts: LifeParts): Promise<Life> {
  const { writer, orders, record, findings, where, allowed = [], onLine } = parts;
  const count = { flushes: 0, compactions: 0, openCompactions: 0, scrubs: 0 };
  const checkpoints: string[] = [];
  const refusals: WriterError[] = [];
  let opened: Life['opened'];
  let tookOverLock = false;
  let isClosed = false;
  let refusedOpening: WriterError | undefined;
  const refuse = (what: string, error: WriterError): void => {
    refusals.push(error);
    if (error.code === undefined) findings.add(`${what} fails without a code: ${error.message} ${where}`);
    else if (!allowed.includes(error.code)) findings.add(`${what} is refused: ${error.message} ${where}`);
  };

  const end = await writer.run(orders, (line) => {
    for (const complaint of record.take(line, orders)) findings.add(`${complaint} ${where}`);
    if (line.kind === 'opened') opened = line;
    if (line.kind === 'stale-lock-taken') tookOverLock = true;
    if (line.kind === 'closed') isClosed = true;
    if (line.kind === 'flushed') count.flushes++;
    if (line.kind === 'compacted') count.compactions++;
    if (line.kind === 'scrubbed') count.scrubs++;
    if (line.kind === 'damage-found') findings.add(`the scrub finds damage: ${line.message} ${where}`);
    if (line.kind === 'refused') refuse(stepOf(orders, line).kind, line.error);
    if (line.kind === 'failed') refuse(line.where, line.error);
    if (line.kind === 'failed' && line.where === 'opening') refusedOpening = line.error;
    if ('step' in line) {
      const op = stepOf(orders, line);
      if (op.kind === 'compact') count.openCompactions += line.kind === 'begin' ? 1 : -1;
      if (op.kind === 'checkpoint' && line.kind === 'done') checkpoints.push(op.name);
    }
    onLine?.(line);
  });

  if (end.isOverdue) findings.add(`the writer did not end by itself ${where}`);
  if (end.stderr !== '') findings.add(`the writer complains: ${end.stderr} ${where}`);
  return { end, opened, tookOverLock, isClosed, ...count, checkpoints, refusals, refusedOpening };
}
