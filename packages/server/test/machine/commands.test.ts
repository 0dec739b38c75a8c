/** What single commands do, at their borders. */

import {
  MAX_COMMAND_OPERATIONS,
  MAX_USER_KEY_BYTES,
  MAX_USER_VALUE_BYTES,
  type Write,
  type WriteCondition,
  type WriteOperation,
} from '@kayadb/codec';
import { MemoryFileSystem } from '@kayadb/vfs/testing';
import { describe, expect, test } from 'vitest';

import type { CommandResult } from '../../src/machine/command-result.ts';
import type { Command, CommandBody } from '../../src/machine/command.ts';
import { encodeCommand } from '../../src/machine/encode-command.ts';
import type { KayaMachine } from '../../src/machine/kaya-machine.ts';
import { MAX_GONE_MEMBERS, SESSION_WINDOW } from '../../src/machine/machine-format.ts';
import { entriesOf, MachineWorld } from './machine-world.ts';

const EMPTY = new Uint8Array(0);
const MINUTE = 60_000;

const bytes = (text: string): Uint8Array => Buffer.from(text);
const put = (key: string, value: string): WriteOperation => ({ kind: 'put', key: bytes(key), value: bytes(value) });
const del = (key: string): WriteOperation => ({ kind: 'delete', key: bytes(key) });
const delRange = (from: string, to: string): WriteOperation => ({
  kind: 'delete-range',
  from: bytes(from),
  to: bytes(to),
});

function writeOf(parts: Partial<Write>): Write {
  return { conditions: [], operations: [], otherwise: [], ...parts };
}

/** A machine that is told one command after the other, each at its time. */
class Told {
  readonly machine: KayaMachine;
  #timeMs = 0;

  constructor(machine: KayaMachine) {
    this.machine = machine;
  }

  static async start(): Promise<Told> {
    return new Told(await (await MachineWorld.create()).open());
  }

  at(timeMs: number): this {
    this.#timeMs = timeMs;
    return this;
  }

  async tell(body: CommandBody): Promise<CommandResult> {
    const index = this.machine.appliedIndex + 1;
    const command: Command = { ...body, timeMs: this.#timeMs };
    const [result] = await this.machine.apply(entriesOf([command], index, 7), index);
    return result!;
  }

  write(parts: Partial<Write>): Promise<CommandResult> {
    return this.tell({ kind: 'write', write: writeOf(parts) });
  }

  async open(expiryMs: number): Promise<number> {
    const result = await this.tell({ kind: 'open-session', expiryMs });
    return result.kind === 'session-opened' ? result.session : 0;
  }

  async inSession(session: number, serial: number, settled = 0, key = 'k'): Promise<string> {
    const result = await this.write({ place: { session, serial, settled }, operations: [put(key, `${serial}`)] });
    return result.kind === 'written' ? String(result.answer.revision) : (result as { refusal: string }).refusal;
  }

  async read(key: string): Promise<string | undefined> {
    const row = await this.machine.get(bytes(key));
    return row && `${Buffer.from(row.value).toString()}@${row.revision}`;
  }
}

describe('a write', () => {
  test('answers with the place of its entry, and its rows carry that', async () => {
    const told = await Told.start();
    await told.write({});

    const result = await told.write({ operations: [put('a', '1'), put('b', '2'), put('a', '3')] });

    expect(result).toEqual({ kind: 'written', answer: { revision: 2, term: 7, failed: undefined } });
    expect([await told.read('a'), await told.read('b'), await told.read('c')]).toEqual(['3@2', '2@2', undefined]);
  });

  test.each<[string, WriteCondition, boolean]>([
    ['a key is there', { kind: 'exists', key: bytes('a'), exists: true }, true],
    ['a key is not there', { kind: 'exists', key: bytes('a'), exists: false }, false],
    ['an absent key is there', { kind: 'exists', key: bytes('x'), exists: true }, false],
    ['an absent key is not there', { kind: 'exists', key: bytes('x'), exists: false }, true],
    ['a key has its value', { kind: 'value', key: bytes('a'), value: bytes('1') }, true],
    ['a key has another value', { kind: 'value', key: bytes('a'), value: bytes('') }, false],
    ['an absent key has the empty value', { kind: 'value', key: bytes('x'), value: bytes('') }, false],
    ['a key has its revision', { kind: 'revision', key: bytes('a'), revision: 1 }, true],
    ['a key has another revision', { kind: 'revision', key: bytes('a'), revision: 2 }, false],
    ['an absent key has revision 0', { kind: 'revision', key: bytes('x'), revision: 0 }, true],
    ['a key has revision 0', { kind: 'revision', key: bytes('a'), revision: 0 }, false],
  ])('on condition that %s', async (_what, condition, holds) => {
    const told = await Told.start();
    await told.write({ operations: [put('a', '1')] });

    const parts = { conditions: [condition], operations: [put('then', '')], otherwise: [put('else', '')] };
    const result = await told.write(parts);

    expect(result).toMatchObject({ answer: { failed: holds ? undefined : 0 } });
    expect([await told.read('then'), await told.read('else')]).toEqual(holds ? ['@2', undefined] : [undefined, '@2']);
  });

  test('tells the first of many conditions that does not hold', async () => {
    const told = await Told.start();
    const absent = (key: string): WriteCondition => ({ kind: 'exists', key: bytes(key), exists: false });
    await told.write({ operations: [put('k150', ''), put('k170', '')] });

    const conditions = Array.from({ length: 200 }, (_, i) => absent(`k${i}`));
    const result = await told.write({ conditions });

    expect(result).toMatchObject({ answer: { failed: 150 } });
  });

  test('sees in one batch what the entries before it did', async () => {
    const told = await Told.start();
    const isAbsent: WriteCondition = { kind: 'exists', key: bytes('k'), exists: false };
    const only = { conditions: [isAbsent], operations: [put('k', 'x')] };
    const commands: Command[] = [
      only,
      only,
      { operations: [delRange('', '')] },
      only,
      { operations: [del('k')] },
      only,
    ].map((parts) => ({ kind: 'write', timeMs: 0, write: writeOf(parts) }));

    const results = await told.machine.apply(entriesOf(commands), 6);

    const failed = results.map((result) => (result.kind === 'written' ? result.answer.failed : result));
    expect(failed).toEqual([undefined, 0, undefined, undefined, undefined, undefined]);
    expect(await told.read('k')).toBe('x@6');
  });

  test('sees them behind many ranges, too', async () => {
    const told = await Told.start();
    const ranges = Array.from({ length: 100 }, (_, i) => delRange(`r${i}`, `r${i}~`));
    const writes = [
      { operations: [put('r5', '1'), put('s', '1')] },
      { operations: ranges },
      { conditions: [{ kind: 'exists', key: bytes('r5'), exists: false }], operations: [put('ok', '')] },
    ] as const;
    const commands = writes.map((parts): Command => ({ kind: 'write', timeMs: 0, write: writeOf(parts) }));

    await told.machine.apply(entriesOf(commands), 3);

    expect([await told.read('ok'), await told.read('s'), await told.read('r5')]).toEqual(['@3', '1@1', undefined]);
  });

  test('of the range of all keys leaves the machine its own rows', async () => {
    const told = await Told.start();
    const session = await told.open(MINUTE);
    await told.inSession(session, 1);
    await told.tell({
      kind: 'put-member',
      member: { node: 1, incarnation: 2, level: 1, isToBePromoted: false, peerAddress: 'a', clientAddress: '' },
    });
    await told.write({ operations: [{ kind: 'put', key: Uint8Array.of(255, 255), value: EMPTY }] });

    await told.write({ operations: [delRange('', '')] });

    expect(await told.machine.get(Uint8Array.of(255, 255))).toBeUndefined();
    expect(await told.inSession(session, 1)).toBe('2');
    expect([told.machine.sessionCount, told.machine.members.length]).toEqual([1, 1]);
  });

  test('takes the longest key and value, and the most that a command may hold', { timeout: 60_000 }, async () => {
    const told = await Told.start();
    const key = new Uint8Array(MAX_USER_KEY_BYTES).fill(255);
    const value = new Uint8Array(MAX_USER_VALUE_BYTES);
    const other = Uint8Array.of(1);

    const rest = new Uint8Array(MAX_USER_VALUE_BYTES - MAX_USER_KEY_BYTES - 100);
    await told.write({
      operations: [
        { kind: 'put', key, value },
        { kind: 'put', key: other, value: rest },
      ],
    });

    const [row, otherRow] = [await told.machine.get(key), await told.machine.get(other)];
    expect([row?.value.length, otherRow?.value.length]).toEqual([value.length, rest.length]);
  });

  test('may have as many operations as there may be', { timeout: 60_000 }, async () => {
    const told = await Told.start();
    const operations = Array.from({ length: MAX_COMMAND_OPERATIONS }, (_, i) => put(i.toString(36), ''));

    await told.write({ operations });

    expect(await told.read((MAX_COMMAND_OPERATIONS - 1).toString(36))).toBe('@1');
  });

  test('over a bound is not encoded', () => {
    const encode = (parts: Partial<Write>): unknown =>
      encodeCommand({ kind: 'write', timeMs: 0, write: writeOf(parts) });
    const long = new Uint8Array(MAX_USER_VALUE_BYTES);

    expect(() => encode({ operations: [put('', '')] })).toThrow(RangeError);
    expect(() => encode({ operations: Array.from({ length: MAX_COMMAND_OPERATIONS + 1 }, () => del('k')) })).toThrow(
      /10001/,
    );
    expect(() => encode({ operations: [0, 1, 2].map(() => ({ kind: 'put', key: bytes('k'), value: long })) })).toThrow(
      /a command has/,
    );
  });
});

describe('a session', () => {
  test('has a write done once, and answers it as before', async () => {
    const told = await Told.start();
    const session = await told.open(MINUTE);

    const answers = [
      await told.inSession(session, 1),
      await told.inSession(session, 2),
      await told.inSession(session, 1),
    ];

    expect(answers).toEqual(['2', '3', '2']);
    expect(await told.read('k')).toBe('2@3');
  });

  test('repeats an answer that a condition failed', async () => {
    const told = await Told.start();
    const session = await told.open(MINUTE);
    const conditions: WriteCondition[] = [{ kind: 'exists', key: bytes('k'), exists: true }];
    const parts = { place: { session, serial: 1, settled: 0 }, conditions, operations: [put('k', 'x')] };
    const first = await told.write(parts);
    await told.write({ operations: [put('k', 'here')] });

    const again = await told.write(parts);

    expect(first).toEqual({ kind: 'written', answer: { revision: 2, term: 7, failed: 0 } });
    expect(again).toEqual(first);
    expect(await told.read('k')).toBe('here@3');
  });

  test('takes serials out of order within its window, and no others', async () => {
    const told = await Told.start();
    const session = await told.open(MINUTE);
    const last = SESSION_WINDOW - 1;

    expect(await told.inSession(session, last)).toBe('2');
    expect(await told.inSession(session, last + 1)).toBe('far');
    expect(await told.inSession(session, 5)).toBe('4');
    expect(await told.inSession(session, 4)).toBe('5');
    expect(await told.inSession(session, 5)).toBe('4');
    expect(await told.inSession(session, last + 5, 5)).toBe('7');
    expect(await told.inSession(session, 4, 0)).toBe('stale');
    expect(await told.inSession(session, 5, 0)).toBe('4');
    expect(await told.inSession(session, last + 6, 0)).toBe('far');
    expect(await told.inSession(session, 6, 7)).toBe('stale');
  });

  test('does not take what is settled from a write that is not done', async () => {
    const told = await Told.start();
    const session = await told.open(MINUTE);
    await told.inSession(session, 1);
    await told.inSession(session, 2);

    expect(await told.inSession(session, 2, 2)).toBe('3');
    expect(await told.inSession(session, 1)).toBe('2');
  });

  test('that does not exist is expired, and so is one that was closed', async () => {
    const told = await Told.start();
    const session = await told.open(MINUTE);
    await told.inSession(session, 1);

    expect(await told.inSession(77, 1)).toBe('expired');
    expect(await told.tell({ kind: 'close-session', session })).toEqual({ kind: 'done' });
    expect(await told.tell({ kind: 'close-session', session })).toEqual({ kind: 'done' });
    expect(await told.inSession(session, 1)).toBe('expired');
    expect(await told.tell({ kind: 'touch', session })).toEqual({ kind: 'refused', refusal: 'expired' });
  });

  test('lives as long as it is used, and is gone with the first sweep behind its end', async () => {
    const told = await Told.start();
    const session = await told.at(0).open(10 * MINUTE);
    await told.at(9 * MINUTE).tell({ kind: 'touch', session });

    expect(await told.at(20 * MINUTE - 1).tell({ kind: 'touch' })).toEqual({ kind: 'done' });
    expect(told.machine.sessionCount).toBe(1);
    await told.at(20 * MINUTE).tell({ kind: 'touch' });
    expect(told.machine.sessionCount).toBe(0);
    expect(await told.inSession(session, 1)).toBe('expired');
  });

  test('knows after a restart what it knew', async () => {
    const world = await MachineWorld.create();
    const first = new Told(await world.open());
    const session = await first.open(MINUTE);
    // Behind the end of the window the place of 1030 comes before that of 1020.
    await first.inSession(session, 1000, 1000);
    await first.inSession(session, 1030, 1000);
    await first.inSession(session, 1020, 1015);
    await first.machine.close();

    const told = new Told(await world.open());

    expect(await told.inSession(session, 1014)).toBe('stale');
    expect(await told.inSession(session, 1030)).toBe('3');
    expect(await told.inSession(session, 1020)).toBe('4');
    expect(await told.inSession(session, 1014 + SESSION_WINDOW)).toBe('8');
    expect(await told.inSession(session, 1015 + SESSION_WINDOW)).toBe('far');
  });

  test('takes its answers with it, and no others', async () => {
    const world = await MachineWorld.create();
    const told = new Told(await world.open());
    const ids: number[] = [];
    for (let i = 0; i < 6; i++) {
      const session = await told.at(i < 3 ? 0 : 5 * MINUTE).open(MINUTE);
      ids.push(session);
      await told.inSession(session, 1);
    }
    const kept = ids[3]!;
    await told.tell({ kind: 'close-session', session: ids[5]! });

    await told.at(6 * MINUTE).tell({ kind: 'touch', session: kept });
    await told.at(7 * MINUTE).tell({ kind: 'touch', session: kept });
    await told.machine.close();

    const rows = (await world.rows()).filter((row) => row.includes('session/') || row.includes('answer/'));
    const number = kept.toString(16);
    expect(rows.map((row) => row.slice(0, row.indexOf(' =')))).toEqual([
      `<1>answer/${'<0>'.repeat(7)}<${number}><0><1>`,
      `<1>session/${'<0>'.repeat(7)}<${number}>`,
    ]);
  });

  test('may be used again between its end and the sweep', async () => {
    const told = await Told.start();
    const session = await told.at(0).open(1000);

    expect(await told.at(59_999).inSession(session, 1)).toBe('2');
    expect(await told.at(60_001).inSession(session, 2)).toBe('3');
    expect(await told.at(120_001).inSession(session, 3)).toBe('expired');
  });

  test('is not rid of time by a leader whose clock is behind', async () => {
    const told = await Told.start();
    const session = await told.at(10 * MINUTE).open(MINUTE);

    await told.at(5).inSession(session, 1);

    expect(told.machine.timeMs).toBe(10 * MINUTE);
    await told.at(11 * MINUTE).tell({ kind: 'touch' });
    expect(told.machine.sessionCount).toBe(1);
  });
});

describe('the level', () => {
  const member = (node: number, level: number): CommandBody => ({
    kind: 'put-member',
    member: { node, incarnation: 0, level, isToBePromoted: false, peerAddress: '', clientAddress: '' },
  });

  test('is not raised beyond what a member knows', async () => {
    const told = await Told.start();
    await told.tell(member(1, 2));
    await told.tell(member(2, 1));

    expect(await told.tell({ kind: 'raise-level', level: 2 })).toEqual({ kind: 'refused', refusal: 'level' });
    expect(await told.tell({ kind: 'raise-level', level: 1 })).toEqual({ kind: 'done' });
    expect(told.machine.level).toBe(1);
  });

  test('beyond what this program knows ends it', async () => {
    const told = await Told.start();
    await told.tell(member(1, 2));

    await expect(told.tell({ kind: 'raise-level', level: 2 })).rejects.toMatchObject({ code: 'KAYA_FEATURE_LEVEL' });
  });
});

describe('members', () => {
  test('are listed by their numbers, as they were last said to be', async () => {
    const told = await Told.start();
    const member = (node: number, clientAddress: string): CommandBody => ({
      kind: 'put-member',
      member: { node, incarnation: 9, level: 1, isToBePromoted: false, peerAddress: `peer-${node}`, clientAddress },
    });

    for (const body of [member(3, 'x'), member(1, 'y'), member(2, 'z'), member(3, 'w')]) await told.tell(body);
    await told.tell({ kind: 'drop-member', node: 2 });

    expect(told.machine.members.map(({ node, clientAddress }) => `${node} ${clientAddress}`)).toEqual(['1 y', '3 w']);
  });

  const withIncarnation = (incarnation: number, node = 2): CommandBody => ({
    kind: 'put-member',
    member: { node, incarnation, level: 1, isToBePromoted: true, peerAddress: 'p', clientAddress: `${incarnation}` },
  });

  test.each([
    ['another', 6],
    ['none', 0],
  ])('keep a directory that is known: one that says %s is refused', async (_what, incarnation) => {
    const told = await Told.start();
    await told.tell(withIncarnation(0));
    await told.tell(withIncarnation(5));

    const result = await told.tell(withIncarnation(incarnation));

    expect(result).toEqual({ kind: 'refused', refusal: 'other-directory' });
    expect(told.machine.members).toMatchObject([{ node: 2, incarnation: 5, clientAddress: '5' }]);
  });

  test('are added at the command that made room for their directory, until that is known', async () => {
    const world = await MachineWorld.create();
    const told = new Told(await world.open());
    const seen = [told.machine.addedAt(2)];
    const bodies = [
      withIncarnation(0),
      withIncarnation(5),
      { kind: 'drop-member', node: 2 },
      withIncarnation(0),
    ] as const;

    for (const body of bodies) {
      await told.tell(body);
      seen.push(told.machine.addedAt(2));
    }
    await told.tell({ kind: 'touch' });
    await told.machine.close();
    const again = await world.open();

    expect(seen).toEqual([0, 1, 0, 0, 4]);
    expect([again.addedAt(2), again.commandIndex]).toEqual([5, 5]);
  });

  test('do not come back with a directory that was removed, over restarts and other directories of the node', async () => {
    const world = await MachineWorld.create();
    const told = new Told(await world.open());
    for (const incarnation of [5, 6]) {
      await told.tell(withIncarnation(incarnation));
      await told.tell({ kind: 'drop-member', node: 2 });
    }
    const before = [5, 6, 7].map((incarnation) => told.machine.wasRemoved(2, incarnation));
    await told.machine.close();
    const again = new Told(await world.open());

    const results = [await again.tell(withIncarnation(5)), await again.tell(withIncarnation(7))];

    expect(before).toEqual([true, true, false]);
    expect(results).toEqual([{ kind: 'refused', refusal: 'removed' }, { kind: 'done' }]);
    expect([5, 6, 7].map((incarnation) => again.machine.wasRemoved(2, incarnation))).toEqual(before);
    expect(again.machine.wasRemoved(3, 5)).toBe(false);
  });

  test('whose directory was never known leave nothing behind', async () => {
    const told = await Told.start();
    await told.tell(withIncarnation(0));
    await told.tell({ kind: 'drop-member', node: 2 });
    await told.tell({ kind: 'drop-member', node: 3 });

    expect(await told.tell(withIncarnation(0))).toEqual({ kind: 'done' });
    expect(told.machine.wasRemoved(2, 0)).toBe(false);
  });

  test('that were removed are forgotten, the first one first, when there are too many', async () => {
    const world = await MachineWorld.create();
    const machine = await world.open();
    const bodies = Array.from({ length: MAX_GONE_MEMBERS + 2 }, (_, i): CommandBody[] => [
      withIncarnation(MAX_GONE_MEMBERS - i + 5, (i % 3) + 1),
      { kind: 'drop-member', node: (i % 3) + 1 },
    ]).flat();

    await machine.apply(entriesOf(bodies.map((body) => ({ ...body, timeMs: 0 }))), bodies.length);
    await machine.close();

    const again = await world.open();
    const remembered = bodies.flatMap((body) => {
      if (body.kind !== 'put-member') return [];
      return [again.wasRemoved(body.member.node, body.member.incarnation)];
    });
    expect(remembered.slice(0, 4)).toEqual([false, false, true, true]);
    expect(remembered.filter((is) => is)).toHaveLength(MAX_GONE_MEMBERS);
    const next: CommandBody[] = [withIncarnation(9999), { kind: 'drop-member', node: 2 }];
    const since = bodies.length + 1;
    await again.apply(
      entriesOf(
        next.map((body) => ({ ...body, timeMs: 0 })),
        since,
      ),
      since + 1,
    );
    const [, , third, fourth] = bodies.flatMap((body) => (body.kind === 'put-member' ? [body.member] : []));
    expect(again.wasRemoved(third!.node, third!.incarnation)).toBe(false);
    expect(again.wasRemoved(fourth!.node, fourth!.incarnation)).toBe(true);
    await again.close();
    expect((await world.rows()).filter((row) => row.startsWith('<1>gone/'))).toHaveLength(MAX_GONE_MEMBERS);
  });
});

describe('apply', () => {
  test('gives others a turn between the steps of a command that take long, and none to those that do not', async () => {
    let stepMs = 0;
    let nowMs = 0;
    let turns = 0;
    const clock = { now: () => (nowMs += stepMs), setTimer: () => ({ cancel: () => undefined }) };
    const yieldTurn = async (): Promise<void> => void turns++;
    const world = await MachineWorld.create(new MemoryFileSystem(), { time: { clock, yieldTurn } });
    const machine = await world.open();
    const command = (key: string): Command => ({
      kind: 'write',
      timeMs: 0,
      write: writeOf({ operations: [put(key, '')] }),
    });
    await machine.apply(entriesOf([command('a')]), 1);
    const quick = turns;
    stepMs = 2;

    await machine.apply(entriesOf([command('b')], 2), 2);

    expect([quick, turns]).toEqual([0, 2]);
  });
});

describe('an entry that is no command', () => {
  test('ends the machine, and what was applied before it stays', async () => {
    const world = await MachineWorld.create();
    const machine = await world.open();
    const [good] = entriesOf([{ kind: 'write', timeMs: 0, write: writeOf({ operations: [put('a', '1')] }) }]);
    const bad = { index: 2, term: 1, kind: 'normal', data: Uint8Array.of(1, 8) } as const;

    await machine.apply([good!], 1);
    await expect(machine.apply([bad], 2)).rejects.toMatchObject({ code: 'KAYA_UNSUPPORTED_COMMAND' });
    await machine.close();

    const again = await world.open();
    expect(again.appliedIndex).toBe(1);
  });
});
