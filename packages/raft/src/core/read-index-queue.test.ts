import { describe, expect, test } from 'vitest';

import { bytesOf, configurationOf } from '../testing/test-messages.ts';
import type { ReadIndexRequest } from './message.ts';
import { ReadIndexQueue } from './read-index-queue.ts';

const THREE = configurationOf([1, 2, 3]);

function read(name: string): ReadIndexRequest {
  return { kind: 'read-index', from: 1, to: 1, context: bytesOf(name) };
}

/** With reads at the commit indexes 10, 11 and so on, which the leader 1 has confirmed itself; and the context after each. */
function queueOf(count: number): { readonly queue: ReadIndexQueue; readonly contexts: readonly Uint8Array[] } {
  const queue = new ReadIndexQueue();
  const contexts = Array.from({ length: count }, (_, i) => {
    queue.add(read(`read ${i}`), 10 + i);
    queue.recordConfirmation(1, queue.heartbeatContext());
    return queue.heartbeatContext();
  });
  return { queue, contexts };
}

function takenIndexes(queue: ReadIndexQueue, configuration = THREE): readonly number[] {
  return queue.takeConfirmed(configuration).map(({ index }) => index);
}

describe('ReadIndexQueue', () => {
  test('has nothing for a heartbeat to carry while no read waits', () => {
    const { queue, contexts } = queueOf(1);
    expect(contexts[0]).toHaveLength(8);

    queue.recordConfirmation(2, contexts[0]!);

    expect(takenIndexes(queue)).toEqual([10]);
    expect(queue.heartbeatContext()).toHaveLength(0);
  });

  test('lets one answer confirm all reads up to the one that it is about', () => {
    const { queue, contexts } = queueOf(3);

    queue.recordConfirmation(2, contexts[1]!);

    expect(takenIndexes(queue)).toEqual([10, 11]);
    expect(queue.pendingCount).toBe(1);
  });

  test('hands a read out once', () => {
    const { queue, contexts } = queueOf(2);
    queue.recordConfirmation(2, contexts[0]!);
    expect(takenIndexes(queue)).toEqual([10]);

    queue.recordConfirmation(3, contexts[0]!);

    expect(takenIndexes(queue)).toEqual([]);
  });

  test('needs a quorum of each half of a joint configuration', () => {
    const joint = configurationOf([1, 2, 3], { votersOutgoing: [3, 4, 5] });
    const { queue, contexts } = queueOf(1);
    queue.recordConfirmation(2, contexts[0]!);
    queue.recordConfirmation(4, contexts[0]!);
    expect(takenIndexes(queue, joint)).toEqual([]);

    queue.recordConfirmation(5, contexts[0]!);

    expect(takenIndexes(queue, joint)).toEqual([10]);
  });

  test('does not count those who are no voters', () => {
    const { queue, contexts } = queueOf(1);

    queue.recordConfirmation(4, contexts[0]!);
    queue.recordConfirmation(5, contexts[0]!);

    expect(takenIndexes(queue)).toEqual([]);
  });

  test('goes by the latest that a node has confirmed, whatever the order of its answers', () => {
    const { queue, contexts } = queueOf(2);

    queue.recordConfirmation(2, contexts[1]!);
    queue.recordConfirmation(2, contexts[0]!);

    expect(takenIndexes(queue)).toEqual([10, 11]);
  });

  test('is not confirmed by answers from before it was reset, though the read is the same', () => {
    const { queue, contexts } = queueOf(2);
    queue.reset();
    queue.add(read('read 0'), 20);
    queue.recordConfirmation(1, queue.heartbeatContext());

    for (const context of contexts) queue.recordConfirmation(2, context);

    expect(takenIndexes(queue)).toEqual([]);
    queue.recordConfirmation(2, queue.heartbeatContext());
    expect(takenIndexes(queue)).toEqual([20]);
  });

  test.each([
    ['too short', new Uint8Array(7)],
    ['too long', new Uint8Array(9)],
    ['of a read that there was not', Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0)],
    ['beyond what is exact', new Uint8Array(8).fill(255)],
  ])('ignores a context that is %s', (_, context) => {
    const { queue } = queueOf(1);

    queue.recordConfirmation(2, context);

    expect(takenIndexes(queue)).toEqual([]);
  });

  test('answers all in a configuration without voters, and no more than there are', () => {
    const { queue } = queueOf(2);

    expect(takenIndexes(queue, configurationOf([]))).toEqual([10, 11]);
    expect(takenIndexes(queue, configurationOf([]))).toEqual([]);
  });
});
