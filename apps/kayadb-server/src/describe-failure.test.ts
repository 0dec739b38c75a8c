import { AssertionError, KayaError } from '@kayadb/codec';
import { CorruptionError, EngineError } from '@kayadb/engine';
import { DirectoryError, GroupError } from '@kayadb/server';
import { TransportError } from '@kayadb/transport';
import { DirectoryLockedError, FileSystemError } from '@kayadb/vfs';
import { describe, expect, test } from 'vitest';

import { describeEnd, describeFailure } from './describe-failure.ts';
import { UsageError } from './usage-error.ts';

describe('describeFailure', () => {
  test.each([
    ['a full disk', new FileSystemError('ENOSPC', 'write', '/data/1.wal'), 1],
    ['a taken port', new TransportError('KAYA_LISTEN_FAILED', 'cannot listen'), 1],
    ['an error without a code', new Error('odd'), 1],
    ['something that is no error', 'odd', 1],
    ['a poisoned store', new EngineError('KAYA_ENGINE_POISONED', 'no more writes'), 1],
    ['a node that was removed', new GroupError('KAYA_REMOVED', 'node 4 was removed'), 1],
    ['a node that is fenced', new GroupError('KAYA_FENCED', 'set back'), 1],
    ['the directory of a removed node', new DirectoryError('KAYA_NODE_REMOVED', 'node 4 was removed'), 1],
    ['a directory without NODE', new DirectoryError('KAYA_NODE_LOST', 'NODE is gone'), 3],
    ['the directory of another node', new DirectoryError('KAYA_NODE_FOREIGN', 'of node 2'), 4],
    ['a store of the embedded engine', new DirectoryError('KAYA_EMBEDDED_STORE', 'a store'), 4],
    ['damage', new CorruptionError('1.sst', 0, 'does not verify'), 3],
    ['damage of the log', new KayaError('KAYA_RAFT_CORRUPTION', '000002.rlog is damaged'), 3],
    ['a log of another node', new KayaError('KAYA_RAFT_FOREIGN', 'it is of node 2'), 3],
    ['a snapshot that is not there', new KayaError('KAYA_SNAPSHOT_MISSING', 'it is gone'), 3],
    ['a log of the future', new KayaError('KAYA_RAFT_UNSUPPORTED', 'version 9'), 4],
    ['a group that is ahead', new KayaError('KAYA_FEATURE_LEVEL', 'level 9'), 4],
    ['a wrong flag', new UsageError('bad', 'do this'), 4],
    ['a store of the future', new EngineError('KAYA_UNSUPPORTED', 'version 9'), 4],
    ['a broken invariant', new AssertionError('impossible'), 5],
    ['a locked folder', DirectoryLockedError.unreadable('/data/LOCK'), 6],
  ])('gives %s its exit code, a sentence and a hint', (_case, error, exitCode) => {
    const failure = describeFailure(error);

    expect(failure.exitCode).toBe(exitCode);
    expect(failure.text).toMatch(/^ERROR: .+\nHINT: .+\n$/u);
  });

  test('names the way out of a lock whose owner cannot be seen', () => {
    const { text } = describeFailure(DirectoryLockedError.unreadable('/data/LOCK'));

    expect(text).toContain('then run "kayactl --data /data unlock --token unreadable"\n');
    expect(text).toContain('HINT: two processes on one folder destroy it');
  });

  test('says what was wrong, then what to do', () => {
    const failure = describeFailure(new UsageError('--node-id is wrong', 'give a number'));

    expect(failure.text).toBe('ERROR: --node-id is wrong\nHINT: give a number\n');
  });
});

describe('describeEnd', () => {
  const disk = new FileSystemError('EIO', 'sync', '/data/groups/0/raft/000001.rlog');

  test('finds the disk behind what failed because of it', () => {
    const { exitCode, text } = describeEnd(new Error('nobody knows what is on disk', { cause: disk }));

    expect(exitCode).toBe(1);
    expect(text).toMatch(
      /^ERROR: the disk failed under the node, which has stopped: sync of .+\.rlog failed with EIO.+\nHINT: check the disk/u,
    );
  });

  test('says of anything else what it is, with its exit code', () => {
    const removed = describeEnd(new GroupError('KAYA_REMOVED', 'node 4 was removed'));
    const broken = describeEnd(new AssertionError('impossible'));

    expect(removed).toMatchObject({
      exitCode: 1,
      text: expect.stringMatching(/^ERROR: node 4 was removed\nHINT: .+\n$/u),
    });
    expect(broken.exitCode).toBe(5);
  });
});
