import { describe, expect, test } from 'vitest';

import type { Message, StorageAppend } from '../core/message.ts';
import { APPEND_THREAD, EMPTY_CONFIGURATION, type Snapshot } from '../core/types.ts';
import { voteResponse } from '../testing/test-messages.ts';
import { Releases } from './releases.ts';

const SNAPSHOT: Snapshot = { meta: { index: 9, term: 1, configuration: EMPTY_CONFIGURATION }, data: new Uint8Array(0) };

function answer(to: number, term: number): Message {
  return voteResponse('vote-response', { from: 1, to, term });
}

function work(term: number, snapshot?: Snapshot): StorageAppend {
  const responses = [answer(1, term), answer(2, term)];
  return { kind: 'storage-append', from: 1, to: APPEND_THREAD, entries: [], hardState: undefined, snapshot, responses };
}

describe('Releases', () => {
  test('sends to peers and delivers to the node itself, in order', () => {
    const { releases, log } = world();

    releases.release(work(1));
    releases.release(work(2));

    expect(log).toEqual(['send 1', 'deliver 1', 'send 2', 'deliver 2']);
  });

  test('lets peers hear at once of a snapshot that is durable, and the node when the state machine has it, before anything behind', () => {
    const { releases, log, restored } = world();

    releases.release(work(1, SNAPSHOT));
    releases.release(work(2));
    const before = log.splice(0);
    restored[0]!();

    expect(before).toEqual(['send 1', 'restore 9', 'send 2']);
    expect(log).toEqual(['deliver 1', 'deliver 2']);
  });
});

function world(): { readonly releases: Releases; readonly log: string[]; readonly restored: (() => void)[] } {
  const log: string[] = [];
  const restored: (() => void)[] = [];
  const tell = (what: string, message: Message): void =>
    void log.push(`${what} ${'term' in message ? message.term : '-'}`);
  const releases = new Releases(1, {
    send: (message) => tell('send', message),
    deliver: (message) => tell('deliver', message),
    restore: ({ meta }, done) => {
      log.push(`restore ${meta.index}`);
      restored.push(done);
    },
  });
  return { releases, log, restored };
}
