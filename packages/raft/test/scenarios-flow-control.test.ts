/** How much a leader sends, and when: progress of followers, windows, quotas, and what stops and resumes it. */

import { describe, expect, test } from 'vitest';

import type { Message } from '../src/core/message.ts';
import { appendResponse, bytesOf, heartbeatResponse, ofKind, voteResponse } from '../src/testing/test-messages.ts';
import { TestNode, type TestNodeOptions } from '../src/testing/test-node.ts';
import { acknowledge, acknowledgeAll, electLeader, settledLeader } from './elect.ts';

const voters = [1, 2];

/** How many entries are in each append of `messages`. */
function appendSizes(messages: readonly Message[]): readonly number[] {
  return ofKind(messages, 'append').map(({ entries }) => entries.length);
}

function propose(leader: TestNode, ...texts: readonly string[]): readonly Message[] {
  for (const text of texts) leader.core.propose([bytesOf(text)]);
  return leader.drain();
}

describe('progress (thesis section 10.2.1)', () => {
  test("ProgressLeader: a leader's own match moves when its append is stable, and not before", () => {
    const leader = new TestNode({ id: 1, voters });
    leader.core.campaign();
    leader.drain();
    leader.step(voteResponse('vote-response', { from: 2, to: 1, term: 1 }));
    for (let i = 0; i < 5; i++) leader.core.propose([bytesOf('some')]);

    const ready = leader.core.ready();
    leader.persist(ready);
    const before = leader.progressOf(1).match;
    leader.core.advance();

    expect(ready.entries.map(({ data }) => data.length)).toEqual([0, 4, 4, 4, 4, 4]);
    expect(before).toBe(0);
    expect(leader.progressOf(1)).toMatchObject({ match: 6, next: 7 });
  });

  test('ProgressResumeByHeartbeatResp: the answer to a heartbeat resumes a follower that waits, the heartbeat does not', () => {
    const leader = electLeader(new TestNode({ id: 1, voters }));
    expect(leader.progressOf(2)).toMatchObject({ state: 'probe', isPaused: true });

    const atBeat = leader.tickAndDrain();
    const wasPaused = leader.progressOf(2).isPaused;
    const atAnswer = leader.receive(heartbeatResponse({ from: 2, to: 1, term: 1 }));

    expect(appendSizes(atBeat)).toEqual([]);
    expect(wasPaused).toBe(true);
    expect(appendSizes(atAnswer)).toEqual([1]);
  });

  test('ProgressPaused: a follower that is probed gets one append, however much is proposed', () => {
    const leader = new TestNode({ id: 1, voters });
    leader.core.campaign();
    leader.drain();

    const atElection = leader.receive(voteResponse('vote-response', { from: 2, to: 1, term: 1 }));
    const atProposals = propose(leader, 'a', 'b', 'c');

    expect(appendSizes(atElection)).toEqual([1]);
    expect(appendSizes(atProposals)).toEqual([]);
  });

  test('ProgressFlowControl: appends are bounded by bytes, and those without an answer by count and by bytes', () => {
    const leader = electLeader(
      new TestNode({ id: 1, voters, maxInflightMessages: 3, maxInflightBytes: 9000, maxMessageBytes: 2048 }),
    );
    const sizes = [...Array<number>(10).fill(1000), ...Array<number>(6).fill(5000), ...Array<number>(6).fill(1000)];

    for (const size of sizes) leader.core.propose([new Uint8Array(size)]);
    const first = leader.drain();
    const sent: (readonly number[])[] = [];
    let index = 1;
    while (index > 0 && sent.length < sizes.length) {
      const appends = ofKind(acknowledge(leader, 2, index), 'append');
      sent.push(appendSizes(appends));
      index = appends.at(-1)?.entries.at(-1)?.index ?? 0;
    }

    expect(first).toEqual([]);
    // Two small entries fit in an append, a large one is alone in it; two large ones fill the window, though it holds three appends.
    expect(sent).toEqual([[2, 2, 2], [2, 2, 1], [1, 1], [1, 1], [1, 2, 2], [2], [0]]);
    expect(leader.status.commit).toBe(23);
  });

  test('UncommittedEntryLimit: a quota refuses proposals until some are committed, though never empty ones', () => {
    const count = 64;
    const payload = bytesOf('testdata');
    const all = count * payload.length;
    const leader = settledLeader({ id: 1, voters: [1, 2, 3], maxUncommittedBytes: all });

    const taken = Array.from({ length: count }, () => leader.core.propose([payload]).kind);
    const tooMuch = leader.core.propose([payload]);
    leader.drain();
    const inUse = leader.status.uncommittedBytes;
    acknowledgeAll(leader);
    const afterCommit = leader.status.uncommittedBytes;
    const large = leader.core.propose(Array.from({ length: 2 * count }, () => payload));
    const afterLarge = leader.core.propose([payload]);
    const empty = leader.core.propose([new Uint8Array(0)]);
    leader.drain();
    acknowledgeAll(leader);

    expect(taken.every((kind) => kind === 'appended')).toBe(true);
    expect(tooMuch).toEqual({ kind: 'dropped', reason: 'quota' });
    expect([inUse, afterCommit]).toEqual([all, 0]);
    expect(large.kind).toBe('appended');
    expect(afterLarge).toEqual({ kind: 'dropped', reason: 'quota' });
    expect(empty.kind).toBe('appended');
    expect(leader.status).toMatchObject({ uncommittedBytes: 0, commit: 1 + 3 * count + 1 });
  });
});

describe('the window of a follower (thesis section 10.2.1)', () => {
  const maxInflightMessages = 4;

  /** A leader that replicates to node 2, and whose window is full. */
  function withFullWindow(options: Partial<TestNodeOptions> = {}): { leader: TestNode; sent: readonly Message[] } {
    const leader = settledLeader({ id: 1, voters, maxInflightMessages, ...options });
    const sent = Array.from({ length: maxInflightMessages }, () => propose(leader, 'some')).flat();
    return { leader, sent };
  }

  test('is full after as many appends as it holds, and then none is sent', () => {
    const { leader, sent } = withFullWindow();

    const more = propose(leader, 'more');

    expect(appendSizes(sent)).toEqual([1, 1, 1, 1]);
    expect(leader.progressOf(2)).toMatchObject({ isInflightFull: true, isPaused: true, inflightCount: 4 });
    expect(more).toEqual([]);
  });

  test('moves forward with what is acknowledged, and not back with old answers', () => {
    const { leader } = withFullWindow();
    propose(leader, 'more');

    const atSecond = acknowledge(leader, 2, 3);
    const { inflightCount } = leader.progressOf(2);
    const atOld = acknowledge(leader, 2, 2);

    // Index 2 and 3 are free; what was not sent goes out.
    expect(appendSizes(atSecond)).toEqual([1]);
    expect(inflightCount).toBe(3);
    expect(atOld).toEqual([]);
    expect(leader.progressOf(2).inflightCount).toBe(3);
  });

  test('lets one empty append through for each answer to a heartbeat while it is full', () => {
    const { leader } = withFullWindow();
    propose(leader, 'more');

    const answers = Array.from({ length: 5 }, () => leader.receive(heartbeatResponse({ from: 2, to: 1, term: 1 })));

    expect(answers.map(appendSizes)).toEqual([[0], [0], [0], [0], [0]]);
    expect(leader.progressOf(2)).toMatchObject({ isInflightFull: true, isPaused: true });
    // Such an append finds out that all of the window was lost: the answer tells that nothing arrived.
    const refused = appendResponse({ from: 2, to: 1, term: 1, index: 5, isRejected: true, hintIndex: 1, hintTerm: 1 });
    const resent = leader.receive(refused);
    expect(ofKind(resent, 'append')).toMatchObject([{ prevIndex: 1 }]);
    expect(leader.progressOf(2).state).toBe('probe');
  });

  test('is given up when the follower is unreachable', () => {
    const { leader } = withFullWindow();

    leader.core.reportUnreachable(2);

    expect(leader.progressOf(2)).toMatchObject({ state: 'probe', match: 1, next: 2, inflightCount: 0 });
  });
});
