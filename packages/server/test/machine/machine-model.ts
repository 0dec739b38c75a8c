/** What a machine does, done in the plainest way: the naive twin that the machine is compared with. */

import type { Write, WriteCondition, WriteOperation } from '@kayadb/codec';

import type { CommandResult } from '../../src/machine/command-result.ts';
import type { Command, Member } from '../../src/machine/command.ts';

interface ModelSession {
  readonly expiryMs: number;
  usedMs: number;
  settled: number;
  readonly answers: Map<number, CommandResult>;
}

export interface ModelRow {
  readonly value: string;
  readonly revision: number;
}

export class MachineModel {
  /** By key, one character for each byte. */
  readonly rows = new Map<string, ModelRow>();
  readonly sessions = new Map<number, ModelSession>();
  readonly members = new Map<number, Member>();
  /** Directories that were removed, as `node/incarnation`. */
  readonly gone = new Set<string>();
  timeMs = 0;
  level = 1;

  apply(command: Command, index: number, term: number): CommandResult {
    const sweep = Math.floor(this.timeMs / 60_000);
    this.timeMs = Math.max(this.timeMs, command.timeMs);
    if (Math.floor(this.timeMs / 60_000) > sweep) this.#expire();
    switch (command.kind) {
      case 'write':
        return this.#write(command.write, index, term);
      case 'open-session': {
        const { expiryMs } = command;
        this.sessions.set(index, { expiryMs, usedMs: this.timeMs, settled: 0, answers: new Map() });
        return { kind: 'session-opened', session: index, expiryMs };
      }
      case 'close-session':
        this.sessions.delete(command.session);
        return { kind: 'done' };
      case 'touch':
        if (command.session === undefined) return { kind: 'done' };
        return this.#use(command.session) === undefined ? { kind: 'refused', refusal: 'expired' } : { kind: 'done' };
      case 'put-member':
        return this.#putMember(command.member);
      case 'drop-member':
        if (this.members.has(command.node)) this.gone.add(directoryOf(this.members.get(command.node)!));
        this.members.delete(command.node);
        return { kind: 'done' };
      case 'raise-level': {
        const isTooMuch =
          command.level > this.level && [...this.members.values()].some(({ level }) => level < command.level);
        return isTooMuch ? { kind: 'refused', refusal: 'level' } : { kind: 'done' };
      }
    }
  }

  #putMember(member: Member): CommandResult {
    const before = this.members.get(member.node);
    if (before !== undefined && before.incarnation > 0 && before.incarnation !== member.incarnation) {
      return { kind: 'refused', refusal: 'other-directory' };
    }
    if (member.incarnation > 0 && this.gone.has(directoryOf(member))) return { kind: 'refused', refusal: 'removed' };
    this.members.set(member.node, member);
    return { kind: 'done' };
  }

  #expire(): void {
    for (const [id, { expiryMs, usedMs }] of this.sessions) {
      if (this.timeMs >= usedMs + expiryMs + Math.floor(expiryMs / 10)) this.sessions.delete(id);
    }
  }

  #use(id: number): ModelSession | undefined {
    const session = this.sessions.get(id);
    if (session !== undefined && this.timeMs - session.usedMs > Math.floor(session.expiryMs / 10)) {
      session.usedMs = this.timeMs;
    }
    return session;
  }

  #write(write: Write, index: number, term: number): CommandResult {
    const { place } = write;
    if (place === undefined) return this.#decide(write, index, term);
    const session = this.#use(place.session);
    if (session === undefined) return { kind: 'refused', refusal: 'expired' };
    const settled = Math.max(session.settled, place.settled);
    if (place.serial < settled) return { kind: 'refused', refusal: 'stale' };
    if (place.serial >= settled + 1024) return { kind: 'refused', refusal: 'far' };
    const before = session.answers.get(place.serial);
    if (before !== undefined) return before;
    session.settled = settled;
    const answer = this.#decide(write, index, term);
    session.answers.set(place.serial, answer);
    return answer;
  }

  #decide({ conditions, operations, otherwise }: Write, revision: number, term: number): CommandResult {
    const unmet = conditions.findIndex((condition) => !this.#holds(condition));
    const failed = unmet < 0 ? undefined : unmet;
    for (const operation of failed === undefined ? operations : otherwise) this.#operate(operation, revision);
    return { kind: 'written', answer: { revision, term, failed } };
  }

  #holds(condition: WriteCondition): boolean {
    const row = this.rows.get(textOf(condition.key));
    if (condition.kind === 'exists') return condition.exists === (row !== undefined);
    if (condition.kind === 'value') return row?.value === textOf(condition.value);
    return condition.revision === (row?.revision ?? 0);
  }

  #operate(operation: WriteOperation, revision: number): void {
    if (operation.kind === 'put') {
      this.rows.set(textOf(operation.key), { value: textOf(operation.value), revision });
    } else if (operation.kind === 'delete') {
      this.rows.delete(textOf(operation.key));
    } else {
      const [from, to] = [textOf(operation.from), textOf(operation.to)];
      for (const key of this.rows.keys()) if (key >= from && (to === '' || key < to)) this.rows.delete(key);
    }
  }
}

function directoryOf({ node, incarnation }: Member): string {
  return `${node}/${incarnation}`;
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
