/** Everything that was acknowledged of a store, over all lives of its writers, kept outside of their processes. */

import { isWrite, type WorkloadOp, type WorkloadWriteOp } from '../workload/workload.ts';
import { LaneRecord } from './lane-record.ts';
import { PairRecord } from './pair-record.ts';
import { PAIR_KEYS, pairValue, type WriterLine, type WriterOrders } from './writer-protocol.ts';

type Rows = readonly (readonly [key: string, value: string])[];

export class StoreRecord {
  /** Writes, of all lives. */
  acknowledgedWrites = 0;
  refusedWrites = 0;
  /** Writes of which nobody had heard the end when the store was opened again. */
  openWrites = 0;
  readonly #lanes: readonly LaneRecord[];
  readonly #pair = new PairRecord();

  constructor(laneCount: number) {
    this.#lanes = Array.from({ length: laneCount }, () => new LaneRecord());
  }

  /** Takes note of one line of a writer. @returns What contradicts the promise. */
  take(line: WriterLine, orders: WriterOrders): readonly string[] {
    if (line.kind === 'opened') return this.#settle(line.rows);
    if (line.kind === 'seen') return this.#compareRunning(line.rows);
    if ('step' in line) {
      const op = stepOf(orders, line);
      if (isWrite(op)) this.#takeWrite(line, op, orders.life);
    }
    return [];
  }

  #takeWrite(line: Extract<WriterLine, { readonly step: number }>, op: WorkloadWriteOp, life: number): void {
    const lane = this.#lanes[line.lane]!;
    const value = pairValue(life, line.lane, line.step);
    if (line.kind === 'begin') {
      lane.begin(op);
      if (op.kind === 'batch') this.#pair.begin(value);
    } else if (line.kind === 'done') {
      this.acknowledgedWrites++;
      lane.acknowledge();
      if (op.kind === 'batch') this.#pair.acknowledge(value, line.sequence);
    } else {
      this.refusedWrites++;
      if (line.error.code !== 'KAYA_DISK_FULL') return;
      lane.takeBack();
      if (op.kind === 'batch') this.#pair.takeBack(value);
    }
  }

  #settle(rows: Rows): readonly string[] {
    this.openWrites += this.#lanes.filter((lane) => lane.isOpen).length;
    const all = new Map(rows);
    const complaints = this.#lanes.map((lane, i) => ({ i, complaint: lane.settle(contentOfLane(rows, i)) }));
    return [
      ...complaints.flatMap(({ i, complaint }) => (complaint === undefined ? [] : [`lane ${i}: ${complaint}`])),
      ...[this.#pair.settle(all)].filter((complaint) => complaint !== undefined),
      ...this.#foreign(rows),
    ];
  }

  #compareRunning(rows: Rows): readonly string[] {
    return this.#lanes.flatMap((lane, i) => {
      const complaint = lane.compareRunning(contentOfLane(rows, i));
      return complaint === undefined ? [] : [`lane ${i}, in the running store: ${complaint}`];
    });
  }

  #foreign(rows: Rows): readonly string[] {
    const known: readonly string[] = PAIR_KEYS;
    const isKnown = (key: string): boolean =>
      known.includes(key) || this.#lanes.some((_, i) => key.startsWith(lanePrefix(i)));
    return rows.filter(([key]) => !isKnown(key)).map(([key]) => `nobody wrote the key ${key}`);
  }
}

/** What the keys of a lane begin with. */
export function lanePrefix(lane: number): string {
  return `l${lane}/`;
}

/** The step that a line is about. */
export function stepOf(orders: WriterOrders, line: { readonly lane: number; readonly step: number }): WorkloadOp {
  const op = orders.lanes[line.lane]?.[line.step];
  if (op === undefined) throw new RangeError(`the writer has no lane ${line.lane} with a step ${line.step}`);
  return op;
}

function contentOfLane(rows: Rows, lane: number): ReadonlyMap<string, string> {
  return new Map(rows.filter(([key]) => key.startsWith(lanePrefix(lane))));
}
