import { tmpdir } from 'node:os';

import { describe, expect, test } from 'vitest';

import { scaleOf } from '../scale.ts';
import type { Job } from './job.ts';
import { runJob } from './run-job.ts';

const job: Job = {
  engine: 'better-sqlite3',
  round: 1,
  steps: [{ family: 'no-such-family', stage: 'none' }],
  scale: scaleOf(100, 'smoke'),
  dataDirectory: tmpdir(),
};

describe('runJob', () => {
  test('says how a process failed, and keeps what it had told before', async () => {
    const { messages, failure } = await runJob(job, 60_000);

    expect(failure).toMatch(/^ended with code 1\n[\s\S]*there is no family of workloads no-such-family/);
    expect(messages).toMatchObject([{ kind: 'contestant' }]);
  });

  test('kills a process that takes too long', async () => {
    const { failure } = await runJob(job, 1);

    expect(failure).toMatch(/^took longer than 0.001 s/);
  });

  test('kills it when told to', async () => {
    const interruption = new AbortController();

    const outcome = runJob(job, 60_000, interruption.signal);
    interruption.abort();

    expect((await outcome).failure).toBe('ended with SIGKILL');
  });
});
