import { describe, expect, test } from 'vitest';

import type { SnapshotRequest } from '../core/message.ts';
import { EMPTY_CONFIGURATION } from '../core/types.ts';
import { RaftError } from '../errors.ts';
import { Installs } from './installs.ts';

function requestOf(index: number): SnapshotRequest {
  const snapshot = { meta: { index, term: 1, configuration: EMPTY_CONFIGURATION }, data: new Uint8Array(0) };
  return { kind: 'snapshot', from: 1, to: 2, term: 1, snapshot };
}

describe('Installs', () => {
  test('end as not needed when the core was told and has handed nothing on', async () => {
    const installs = new Installs();
    const outcome = installs.add(requestOf(5));

    installs.turnEnded();
    const early = installs.isPending;
    installs.stepped();
    installs.turnEnded();

    expect(early).toBe(true);
    expect(await outcome).toBe('not-needed');
    expect(installs.isPending).toBe(false);
  });

  test('end as installed when the state machine has it, and not with another snapshot', async () => {
    const installs = new Installs();
    const request = requestOf(5);
    const outcome = installs.add(request);

    installs.stepped();
    installs.taken(request.snapshot);
    installs.turnEnded();
    installs.installed(requestOf(5).snapshot);
    const early = installs.isPending;
    installs.installed(request.snapshot);

    expect(early).toBe(true);
    expect(await outcome).toBe('installed');
  });

  test.each(['no-room', 'not-needed'] as const)('end as %s when the core was not told', async (outcome) => {
    const installs = new Installs();
    const ended = installs.add(requestOf(5));

    installs.turnedAway(outcome);

    expect(await ended).toBe(outcome);
  });

  test('end with the node', async () => {
    const installs = new Installs();
    const outcome = installs.add(requestOf(5));

    installs.endAll(new RaftError('KAYA_RAFT_STOPPED', 'closed'));

    await expect(outcome).rejects.toMatchObject({ code: 'KAYA_RAFT_STOPPED' });
    expect(installs.isPending).toBe(false);
  });
});
