import { describe, expect, test } from 'vitest';

import type { PeerMessage } from '../core/message.ts';
import { Fifo } from './fifo.ts';
import { Inbox } from './inbox.ts';
import { messageBytes } from './message-bytes.ts';

function heartbeat(term: number, contextBytes = 0): PeerMessage {
  return { kind: 'heartbeat', from: 2, to: 1, term, commit: 0, context: new Uint8Array(contextBytes) };
}

function drain(inbox: Inbox): readonly number[] {
  const terms: number[] = [];
  for (let taken = inbox.take(); taken !== undefined; taken = inbox.take()) {
    terms.push('term' in taken.message ? taken.message.term : 0);
  }
  return terms;
}

describe('Inbox', () => {
  test('keeps the order of arrival, and knows who a message is from', () => {
    const inbox = new Inbox({ maxMessages: 10, maxBytes: 10_000 });

    inbox.offer(heartbeat(1));
    inbox.push(heartbeat(2));
    inbox.offer(heartbeat(3));

    expect(inbox.take()).toMatchObject({ message: { term: 1 }, isFromPeer: true });
    expect(inbox.take()).toMatchObject({ message: { term: 2 }, isFromPeer: false });
    expect(drain(inbox)).toEqual([3]);
    expect(inbox).toMatchObject({ length: 0, bytes: 0 });
  });

  test('has room by count, and always for what the node says to itself', () => {
    const inbox = new Inbox({ maxMessages: 2, maxBytes: 10_000 });

    const taken = [1, 2, 3].map((term) => inbox.offer(heartbeat(term)));
    inbox.push(heartbeat(4));

    expect(taken).toEqual([true, true, false]);
    expect(drain(inbox)).toEqual([1, 2, 4]);
  });

  test('has room by bytes, and for one message however large', () => {
    const limit = messageBytes(heartbeat(1, 100));
    const inbox = new Inbox({ maxMessages: 10, maxBytes: limit });

    const taken = [heartbeat(1, 1000), heartbeat(2)].map((message) => inbox.offer(message));
    drain(inbox);
    const again = [heartbeat(3, 50), heartbeat(4, 100)].map((message) => inbox.offer(message));

    expect(taken).toEqual([true, false]);
    expect(again).toEqual([true, false]);
  });
});

describe('Fifo', () => {
  test('gives back in order what was put in, also when it is long', () => {
    const fifo = new Fifo<number>();
    const taken: (number | undefined)[] = [];

    for (let value = 0; value < 10_000; value++) {
      fifo.push(value);
      if (value % 3 > 0) taken.push(fifo.take());
    }
    const rest = fifo.length;
    while (fifo.length > 0) taken.push(fifo.take());

    expect(rest).toBe(10_000 - 6666);
    expect(taken).toEqual(Array.from({ length: 10_000 }, (_, value) => value));
    expect(fifo.take()).toBeUndefined();
  });
});
