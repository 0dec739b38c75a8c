/** What a machine keeps in memory of its own rows, and how it is read back. Invariant: it is what those rows say, no more and no less. */

import { DecodeError } from '@kayadb/codec';
import { CorruptionError, type Engine } from '@kayadb/engine';

import type { Member } from './command.ts';
import { type GoneMember, GoneMembers } from './gone-members.ts';
import { MachineError } from './machine-error.ts';
import { FEATURE_LEVEL } from './machine-format.ts';
import {
  ANSWER_PREFIX,
  decodeAnswerRow,
  decodeGoneRow,
  decodeMachineRow,
  decodeMemberRow,
  decodeSessionRow,
  GONE_PREFIX,
  MACHINE_KEY,
  type MachineRow,
  MEMBER_PREFIX,
  numberIn,
  secondNumberIn,
  SESSION_PREFIX,
} from './rows.ts';
import { type Session, Sessions } from './sessions.ts';

export interface MachineState {
  row: MachineRow;
  readonly sessions: Sessions;
  /** By node. */
  readonly members: Map<number, Member>;
  /** Index of the command that made room for a new directory of a node, by node: of those since the state was loaded. */
  readonly added: Map<number, number>;
  /** Of the last command, when the state was loaded. */
  readonly loadedIndex: number;
  readonly gone: GoneMembers;
}

const FIRST_ROW: MachineRow = { timeMs: 0, level: 1, index: 0, term: 0 };
/** Rows that are asked for at once. */
const ROWS = 512;

/**
 * @throws MachineError KAYA_FEATURE_LEVEL when the group is at a level that this program does not know.
 * @throws CorruptionError for a row that is none.
 */
export async function loadState(engine: Engine): Promise<MachineState> {
  try {
    const stored = await engine.get(MACHINE_KEY);
    const row = stored === undefined ? FIRST_ROW : decodeMachineRow(stored);
    if (row === undefined || row.level > FEATURE_LEVEL) throw levelError(row?.level);
    const sessions = new Sessions();
    sessions.load(await loadSessions(engine));
    const gone = new GoneMembers();
    gone.load(await loadGone(engine));
    const members = await loadMembers(engine);
    return { row, sessions, members, added: new Map(), loadedIndex: row.index, gone };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new CorruptionError(engine.directory, 0, `a row of the machine does not decode: ${error.message}`, {
      cause: error,
    });
  }
}

export function levelError(level: number | undefined): MachineError {
  const what = level === undefined ? 'a later level' : `level ${level}`;
  return new MachineError(
    'KAYA_FEATURE_LEVEL',
    `the group is at ${what}, and this program knows ${FEATURE_LEVEL}; start the node with the program that the others run`,
  );
}

/** An answer says how far its session had come. */
async function loadSessions(engine: Engine): Promise<readonly Session[]> {
  const sessions = new Map<number, Session>();
  await each(engine, SESSION_PREFIX, (id, value) => {
    sessions.set(id, { id, ...decodeSessionRow(value), settled: 0, top: 0 });
  });
  await each(engine, ANSWER_PREFIX, (id, value) => {
    const session = sessions.get(id);
    if (session === undefined) return;
    const { serial, settled } = decodeAnswerRow(value);
    const isNews = serial > session.top || settled > session.settled;
    if (!isNews) return;
    const top = Math.max(session.top, serial);
    sessions.set(id, { ...session, top, settled: Math.max(session.settled, settled) });
  });
  return [...sessions.values()];
}

async function loadMembers(engine: Engine): Promise<Map<number, Member>> {
  const members = new Map<number, Member>();
  await each(engine, MEMBER_PREFIX, (node, value) => members.set(node, decodeMemberRow(node, value)));
  return members;
}

async function loadGone(engine: Engine): Promise<readonly GoneMember[]> {
  const gone: GoneMember[] = [];
  await each(engine, GONE_PREFIX, (node, value, key) => {
    gone.push({ node, incarnation: secondNumberIn(key, GONE_PREFIX), index: decodeGoneRow(value) });
  });
  return gone;
}

async function each(
  engine: Engine,
  prefix: Uint8Array,
  visit: (number: number, value: Uint8Array, key: Uint8Array) => void,
): Promise<void> {
  const scan = engine.scan({ prefix });
  for (let rows = await scan.nextBatch(ROWS); rows.length > 0; rows = await scan.nextBatch(ROWS)) {
    for (const { key, value } of rows) visit(numberIn(key, prefix), value, key);
  }
}
