/**
 * A store on a disk that is full again and again: room is taken away, a writer runs into it, room comes back, and the writer goes on, or is killed.
 * Refusals are typed, nothing acknowledged is lost, and nothing refused appears.
 */

import { mkdirSync, readdirSync, rmSync } from 'node:fs';

import { describeSeed, type SeededRandom } from '@kayadb/testkit';

import { lanePrograms } from '../kill/lane-programs.ts';
import { StoreRecord } from '../kill/store-record.ts';
import { type Life, liveOnce } from '../kill/writer-life.ts';
import type { WriterSupply } from '../kill/writer-process.ts';
import type { WatchOptions } from '../kill/writer-protocol.ts';
import type { Findings } from '../report.ts';
import { fillDisk, type MountedDisk } from './mounted-disk.ts';

export interface FullDiskFigures {
  lives: number;
  timesFull: number;
  writesRefused: number;
  openingsRefused: number;
  closingsRefused: number;
  acknowledgedWrites: number;
  acknowledgedAfterRoomCame: number;
  kills: number;
  cleanCloses: number;
  poisoned: number;
}

export interface FullDiskParts {
  readonly disk: MountedDisk;
  readonly random: SeededRandom;
  readonly lives: number;
  readonly supply: WriterSupply;
  readonly findings: Findings;
}

const SHAPE = { lanes: 3, stepsPerLane: 120, paddingBytes: 500 };
/** Bound: room that a life begins with. */
const MAX_ROOM_BYTES = 100_000;
/** Bound: lines between the first refusal and the room, and from there to the kill. */
const MAX_LINES = 100;
/** Without a limit, with a reserve, and with a soft limit as well. */
const WATCHES: readonly WatchOptions[] = [
  {},
  { diskReserveBytes: 65_536 },
  { diskReserveBytes: 32_768, diskLowBytes: 16_384 },
];
/** A full disk is no reason for anything else. A failed sync poisons the store, rightly. */
const ALLOWED = ['KAYA_DISK_FULL', 'KAYA_ENGINE_POISONED'];

export async function fillAgainAndAgain(parts: FullDiskParts): Promise<FullDiskFigures> {
  const { disk, random, lives, supply, findings } = parts;
  const figures: FullDiskFigures = {
    lives,
    timesFull: 0,
    writesRefused: 0,
    openingsRefused: 0,
    closingsRefused: 0,
    acknowledgedWrites: 0,
    acknowledgedAfterRoomCame: 0,
    kills: 0,
    cleanCloses: 0,
    poisoned: 0,
  };
  const record = new StoreRecord(SHAPE.lanes);
  mkdirSync(disk.at('checkpoints'));
  for (let life = 0; life < lives; life++) {
    const where = `(life ${life}, ${describeSeed(random.seed)})`;
    const makeRoom = fillDisk(disk, random.int(MAX_ROOM_BYTES));
    const untilRoom = random.int(MAX_LINES);
    const untilKill = life % 2 === 1 ? random.int(MAX_LINES) : Number.POSITIVE_INFINITY;
    let linesWhileFull: number | undefined;
    let acknowledgedBefore: number | undefined;
    await using writer = supply.take();
    const ended = await liveOnce({
      writer,
      orders: {
        ...ordersOn(disk, life, lanePrograms(random.fork(`life ${life}`), life, SHAPE)),
        watch: WATCHES[life % 3]!,
      },
      record,
      findings,
      where,
      allowed: ALLOWED,
      onLine(line) {
        if (linesWhileFull === undefined && (line.kind === 'refused' || line.kind === 'failed')) linesWhileFull = 0;
        if (linesWhileFull === undefined) return;
        if (linesWhileFull === untilRoom) {
          makeRoom();
          acknowledgedBefore = record.acknowledgedWrites;
        }
        if (linesWhileFull === untilRoom + untilKill) writer.kill();
        linesWhileFull++;
      },
    });
    makeRoom();
    // Nobody looks at them, and what they hold on to is room.
    for (const name of readdirSync(disk.at('checkpoints'))) rmSync(disk.at('checkpoints', name), { recursive: true });
    if (linesWhileFull !== undefined) figures.timesFull++;
    if (acknowledgedBefore !== undefined) {
      figures.acknowledgedAfterRoomCame += record.acknowledgedWrites - acknowledgedBefore;
    }
    count(figures, ended);
  }
  await closeWithRoom(parts, record);
  figures.writesRefused = record.refusedWrites;
  figures.acknowledgedWrites = record.acknowledgedWrites;
  return figures;
}

function count(figures: FullDiskFigures, { end, isClosed, opened, refusals, refusedOpening }: Life): void {
  if (end.signal !== null) figures.kills++;
  else if (isClosed) figures.cleanCloses++;
  else if (opened !== undefined) figures.closingsRefused++;
  if (refusedOpening !== undefined) figures.openingsRefused++;
  if (refusals.some(({ code }) => code === 'KAYA_ENGINE_POISONED')) figures.poisoned++;
}

/** With room, everything goes. */
async function closeWithRoom({ disk, supply, findings }: FullDiskParts, record: StoreRecord): Promise<void> {
  await using writer = supply.take();
  const where = '(last life, with room)';
  const { isClosed } = await liveOnce({ writer, orders: ordersOn(disk, -1, []), record, findings, where });
  if (!isClosed) findings.add(`the store does not close although there is room ${where}`);
}

function ordersOn(disk: MountedDisk, life: number, lanes: ReturnType<typeof lanePrograms>) {
  const places = { directory: disk.at('store'), checkpoints: disk.at('checkpoints') };
  return { ...places, durability: 'strict', announces: false, life, lanes } as const;
}
