import { describe, expect, test } from 'vitest';

import { OrderedReplies } from './ordered-replies.ts';

describe('OrderedReplies', () => {
  test('sends answers in the order of their requests, and counts what waits', () => {
    const sent: number[] = [];
    const replies = new OrderedReplies((bytes) => sent.push(bytes[0]!));
    const [first, second, third] = [replies.reserve(), replies.reserve(), replies.reserve()];

    second(Uint8Array.of(2, 0));
    const waiting = { sent: [...sent], count: replies.count, bytes: replies.waitingBytes };
    first(Uint8Array.of(1));
    const released = { sent: [...sent], count: replies.count, bytes: replies.waitingBytes };
    third(Uint8Array.of(3));

    expect(waiting).toEqual({ sent: [], count: 3, bytes: 2 });
    expect(released).toEqual({ sent: [1, 2], count: 1, bytes: 0 });
    expect(sent).toEqual([1, 2, 3]);
  });
});
