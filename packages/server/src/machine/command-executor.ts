/**
 * What commands do to rows. Deterministic: the same commands in the same order give the same rows and the same answers, however they are
 * cut into batches. Format: docs/format/state-machine.md.
 *
 * Invariant: nothing here knows a clock, chance or another node; what was decided is in the pending rows and in the state, at once.
 */

import { assertNever, type Write, type WriteOperation } from '@kayadb/codec';

import { type CommandResult, DONE, refused } from './command-result.ts';
import type { Command, Member } from './command.ts';
import { findUnmet, type FindRows } from './conditions.ts';
import { FEATURE_LEVEL, SESSION_SWEEP_MS, SESSION_WINDOW } from './machine-format.ts';
import { levelError, type MachineState } from './machine-state.ts';
import type { PendingRows } from './pending-rows.ts';
import {
  answerKey,
  answersKey,
  decodeAnswerRow,
  encodeAnswerRow,
  encodeGoneRow,
  encodeMemberRow,
  encodeSessionRow,
  goneKey,
  memberKey,
  sessionKey,
  USER_END,
  userKey,
  userRow,
} from './rows.ts';
import { graceOf, type Session } from './sessions.ts';

export interface Place {
  readonly index: number;
  readonly term: number;
}

/** A write that goes ahead in its session. */
interface InSession {
  readonly id: number;
  readonly serial: number;
  readonly settled: number;
}

type MaybePromise<Value> = Value | Promise<Value>;

export class CommandExecutor {
  readonly #state: MachineState;
  readonly #pending: PendingRows;
  readonly #find: FindRows;

  /** @param find - Sees what is pending, too. */
  constructor(state: MachineState, pending: PendingRows, find: FindRows) {
    this.#state = state;
    this.#pending = pending;
    this.#find = find;
  }

  /**
   * Requires: `place` is behind that of the command before, which is done.
   *
   * @returns Within the call, unless rows have to be looked up.
   * @throws MachineError KAYA_FEATURE_LEVEL when the group goes beyond this program.
   */
  execute(command: Command, place: Place): MaybePromise<CommandResult> {
    this.#moveClock(command.timeMs, place);
    switch (command.kind) {
      case 'write':
        return this.#write(command.write, place);
      case 'open-session':
        return this.#openSession(command.expiryMs, place);
      case 'close-session':
        if (this.#state.sessions.get(command.session) !== undefined) this.#removeSessions([command.session]);
        return DONE;
      case 'touch':
        return command.session === undefined ? DONE : this.#touch(command.session);
      case 'put-member':
        return this.#putMember(command.member, place);
      case 'drop-member':
        return this.#dropMember(command.node, place);
      case 'raise-level':
        return this.#raiseLevel(command.level);
      default:
        return assertNever(command, 'command');
    }
  }

  #moveClock(timeMs: number, { index, term }: Place): void {
    const { row, sessions } = this.#state;
    const now = Math.max(row.timeMs, timeMs);
    this.#state.row = { ...row, timeMs: now, index, term };
    if (sweepOf(now) > sweepOf(row.timeMs)) this.#removeSessions(sessions.expiredAt(now));
  }

  #openSession(expiryMs: number, { index }: Place): CommandResult {
    const { sessions, row } = this.#state;
    const { next } = sessions;
    if (next !== undefined) this.#removeSessions([next]);
    this.#putSession({ id: index, expiryMs, usedMs: row.timeMs, settled: 0, top: 0 });
    return { kind: 'session-opened', session: index, expiryMs };
  }

  #touch(id: number): CommandResult {
    const session = this.#state.sessions.get(id);
    if (session === undefined) return refused('expired');
    this.#use(session);
    return DONE;
  }

  #putMember(member: Member, { index }: Place): CommandResult {
    const { members, added, gone } = this.#state;
    const { node, incarnation } = member;
    const known = members.get(node)?.incarnation ?? 0;
    if (known !== 0 && known !== incarnation) return refused('other-directory');
    if (gone.has(node, incarnation)) return refused('removed');
    members.set(node, member);
    if (incarnation === 0) added.set(node, index);
    this.#pending.put(memberKey(node), encodeMemberRow(member));
    return DONE;
  }

  #dropMember(node: number, { index }: Place): CommandResult {
    const { members, added, gone } = this.#state;
    const incarnation = members.get(node)?.incarnation ?? 0;
    members.delete(node);
    added.delete(node);
    this.#pending.delete(memberKey(node));
    if (incarnation === 0) return DONE;
    this.#pending.put(goneKey(node, incarnation), encodeGoneRow(index));
    const forgotten = gone.add({ node, incarnation, index });
    if (forgotten !== undefined) this.#pending.delete(goneKey(forgotten.node, forgotten.incarnation));
    return DONE;
  }

  #raiseLevel(level: number): CommandResult {
    const { row, members } = this.#state;
    if (level <= row.level) return DONE;
    for (const member of members.values()) if (member.level < level) return refused('level');
    if (level > FEATURE_LEVEL) throw levelError(level);
    this.#state.row = { ...row, level };
    return DONE;
  }

  #write(write: Write, place: Place): MaybePromise<CommandResult> {
    if (write.place === undefined) return this.#decide(write, place, undefined);
    const session = this.#state.sessions.get(write.place.session);
    if (session === undefined) return refused('expired');
    this.#use(session);
    const { serial } = write.place;
    const settled = Math.max(session.settled, write.place.settled);
    if (serial < settled) return refused('stale');
    if (serial >= settled + SESSION_WINDOW) return refused('far');
    const inSession = { id: session.id, serial, settled };
    if (serial > session.top) return this.#decide(write, place, inSession);
    return this.#repeatOrDecide(write, place, inSession);
  }

  async #repeatOrDecide(write: Write, place: Place, inSession: InSession): Promise<CommandResult> {
    const [row] = await this.#find([answerKey(inSession.id, inSession.serial)]);
    const before = row === undefined ? undefined : decodeAnswerRow(row);
    if (before?.serial === inSession.serial) return { kind: 'written', answer: before.answer };
    return this.#decide(write, place, inSession);
  }

  #decide(write: Write, place: Place, inSession: InSession | undefined): MaybePromise<CommandResult> {
    if (write.conditions.length === 0) return this.#apply(write, place, inSession, undefined);
    const unmet = findUnmet(write.conditions, this.#find);
    return unmet.then((failed) => this.#apply(write, place, inSession, failed));
  }

  #apply(
    { operations, otherwise }: Write,
    { index, term }: Place,
    inSession: InSession | undefined,
    failed: number | undefined,
  ): CommandResult {
    for (const operation of failed === undefined ? operations : otherwise) this.#operate(operation, index);
    const answer = { revision: index, term, failed };
    if (inSession !== undefined) {
      const { id, serial, settled } = inSession;
      this.#pending.put(answerKey(id, serial), encodeAnswerRow({ serial, settled, answer }));
      const session = this.#state.sessions.get(id)!;
      this.#state.sessions.put({ ...session, settled, top: Math.max(session.top, serial) });
    }
    return { kind: 'written', answer };
  }

  #operate(operation: WriteOperation, revision: number): void {
    switch (operation.kind) {
      case 'put':
        return this.#pending.put(userKey(operation.key), userRow(revision, operation.value));
      case 'delete':
        return this.#pending.delete(userKey(operation.key));
      case 'delete-range': {
        const end = operation.to.length === 0 ? USER_END : userKey(operation.to);
        return this.#pending.deleteRange(userKey(operation.from), end);
      }
      default:
        assertNever(operation, 'operation');
    }
  }

  /** Its row is written anew when it is a tenth of its expiry old, not with each command. */
  #use(session: Session): void {
    const { timeMs } = this.#state.row;
    if (timeMs - session.usedMs > graceOf(session)) this.#putSession({ ...session, usedMs: timeMs });
  }

  #putSession(session: Session): void {
    this.#state.sessions.put(session);
    this.#pending.put(sessionKey(session.id), encodeSessionRow(session));
  }

  /** Where nothing else lies between them, many go in one range. */
  #removeSessions(ids: readonly number[]): void {
    if (ids.length === 0) return;
    const { sessions } = this.#state;
    for (const [first, last] of sessions.runsOf(ids)) {
      if (first === last) this.#pending.delete(sessionKey(first));
      else this.#pending.deleteRange(sessionKey(first), sessionKey(last + 1));
      if (first !== last || sessions.get(first)!.top > 0)
        this.#pending.deleteRange(answersKey(first), answersKey(last + 1));
    }
    for (const id of ids) sessions.remove(id);
  }
}

function sweepOf(timeMs: number): number {
  return Math.floor(timeMs / SESSION_SWEEP_MS);
}
