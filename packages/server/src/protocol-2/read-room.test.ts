import { AssertionError } from '@kayadb/codec';
import { settle } from '@kayadb/testkit';
import { describe, expect, test } from 'vitest';

import type { FetchKind } from '../operations-2/attempt.ts';
import { ReadRoom } from './read-room.ts';

/** Enters, and says so under a name. */
function enter(room: ReadRoom, kind: FetchKind, name: string, inside: string[]): void {
  const entering = room.enter(kind);
  if (entering === undefined) inside.push(name);
  else void entering.then(() => inside.push(name));
}

describe('ReadRoom', () => {
  test('holds six values, or a frame and two values', async () => {
    const [values, mixed] = [new ReadRoom(() => true), new ReadRoom(() => true)];
    const inside: string[] = [];

    for (let i = 1; i <= 8; i++) enter(values, 'value', `v${i}`, inside);
    for (const kind of ['frame', 'value', 'value', 'value'] as const) enter(mixed, kind, kind, inside);
    await settle();

    expect(inside).toEqual(['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'frame', 'value', 'value']);
  });

  test('lets in who waits in order: a value does not pass a frame', async () => {
    const room = new ReadRoom(() => true);
    const inside: string[] = [];
    for (const name of ['a', 'b', 'c']) enter(room, 'value', name, inside);
    enter(room, 'frame', 'frame', inside);
    enter(room, 'value', 'behind', inside);
    await settle();
    const before = inside.length;

    room.leave('value');
    await settle();
    const between = [...inside];
    room.leave('frame');
    await settle();

    expect(before).toBe(3);
    expect(between).toEqual(['a', 'b', 'c', 'frame']);
    expect(inside).toEqual(['a', 'b', 'c', 'frame', 'behind']);
  });

  test('lets nobody in while answers have no room', async () => {
    let hasRoom = false;
    const room = new ReadRoom(() => hasRoom);
    const inside: string[] = [];
    enter(room, 'value', 'a', inside);
    enter(room, 'value', 'b', inside);
    room.startWaiting();
    await settle();
    const before = [...inside];

    hasRoom = true;
    room.startWaiting();
    await settle();

    expect(before).toEqual([]);
    expect(inside).toEqual(['a', 'b']);
  });

  test('lets all in when it closes', async () => {
    const room = new ReadRoom(() => false);
    const inside: string[] = [];
    for (let i = 0; i < 20; i++) enter(room, 'frame', 'waiting', inside);

    room.close();
    await settle();
    enter(room, 'frame', 'later', inside);

    expect(inside).toHaveLength(21);
  });

  test('notices who leaves twice', () => {
    const room = new ReadRoom(() => true);
    void room.enter('frame');
    room.leave('frame');

    expect(() => room.leave('value')).toThrow(AssertionError);
  });
});
