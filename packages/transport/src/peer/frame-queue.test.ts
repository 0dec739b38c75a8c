import { describe, expect, test } from 'vitest';

import { type FramePriority, FrameQueue } from './frame-queue.ts';

function queueOf(limits: Partial<ConstructorParameters<typeof FrameQueue>[0]> = {}): FrameQueue {
  return new FrameQueue({ maxFrames: 100, maxBytes: 1000, maxUrgentFrames: 100, maxUrgentBytes: 1000, ...limits });
}

/** A frame of `bytes` bytes that begins with `mark`. */
function marked(mark: number, bytes = 1): Uint8Array {
  const frame = new Uint8Array(bytes);
  frame[0] = mark;
  return frame;
}

function takeAll(queue: FrameQueue): readonly (number | undefined)[] {
  const marks: (number | undefined)[] = [];
  for (let frame = queue.take(); frame !== undefined; frame = queue.take()) marks.push(frame[0]);
  return marks;
}

describe('FrameQueue', () => {
  test('gives urgent frames first, each class in its order', () => {
    const queue = queueOf();
    const order: readonly FramePriority[] = ['normal', 'urgent', 'normal', 'urgent'];

    for (const [i, priority] of order.entries()) queue.push(marked(i), priority);

    expect(takeAll(queue)).toEqual([1, 3, 0, 2]);
    expect([queue.frames, queue.bytes]).toEqual([0, 0]);
  });

  test('refuses a normal frame that has no room, by count or by bytes', () => {
    const byCount = queueOf({ maxFrames: 2 });
    const byBytes = queueOf({ maxBytes: 20 });

    expect([0, 1, 2].map((i) => byCount.push(marked(i), 'normal'))).toEqual([true, true, false]);
    expect([10, 10, 1].map((bytes, i) => byBytes.push(marked(i, bytes), 'normal'))).toEqual([true, true, false]);
    expect(takeAll(byCount)).toEqual([0, 1]);
    expect([byCount.droppedFrames, byBytes.droppedFrames]).toEqual([1, 1]);
  });

  test('takes one normal frame of any size', () => {
    const queue = queueOf({ maxBytes: 20 });

    expect(queue.push(marked(0, 5000), 'normal')).toBe(true);
    expect(queue.push(marked(1), 'normal')).toBe(false);
  });

  test('pushes out the oldest urgent frames', () => {
    const byCount = queueOf({ maxUrgentFrames: 2 });
    const byBytes = queueOf({ maxUrgentBytes: 20 });

    for (const i of [0, 1, 2, 3]) byCount.push(marked(i), 'urgent');
    for (const [i, bytes] of [10, 10, 15, 5000].entries()) byBytes.push(marked(i, bytes), 'urgent');

    expect(takeAll(byCount)).toEqual([2, 3]);
    expect(takeAll(byBytes)).toEqual([3]);
    expect([byCount.droppedFrames, byBytes.droppedFrames]).toEqual([2, 3]);
  });

  test('keeps its order and its counts over many frames that come and go', () => {
    const queue = queueOf();
    const taken: (number | undefined)[] = [];

    for (let i = 0; i < 250; i++) {
      queue.push(marked(i), 'normal');
      if (i % 3 > 0) taken.push(queue.take()?.[0]);
    }

    expect(queue.frames).toBe(84);
    expect([...taken, ...takeAll(queue)]).toEqual(Array.from({ length: 250 }, (_, i) => i));
  });

  test('counts what is cleared as dropped', () => {
    const queue = queueOf();
    queue.push(marked(0, 5), 'normal');
    queue.push(marked(1, 5), 'urgent');

    queue.clear();

    expect([queue.frames, queue.bytes, queue.droppedFrames]).toEqual([0, 0, 2]);
    expect(queue.take()).toBeUndefined();
  });
});
