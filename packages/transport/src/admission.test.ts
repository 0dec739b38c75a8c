import { describe, expect, test } from 'vitest';

import { Admission } from './admission.ts';
import { DEFAULT_LISTENER_LIMITS } from './limits.ts';

describe('Admission', () => {
  test('counts the connections of each address as they come and go', () => {
    const admission = new Admission({ ...DEFAULT_LISTENER_LIMITS, maxConnections: 10, maxConnectionsPerAddress: 2 });

    const first = [admission.admit('a'), admission.admit('a'), admission.admit('a'), admission.admit('b')];
    admission.leave('a');
    const second = [admission.admit('a'), admission.admit('a')];

    expect(first).toEqual([true, true, false, true]);
    expect(second).toEqual([true, false]);
    expect(admission.counts).toEqual({ open: 3, accepted: 4, refusedTotal: 0, refusedPerAddress: 2 });
  });

  test('names the limit of all before that of the address', () => {
    const admission = new Admission({ ...DEFAULT_LISTENER_LIMITS, maxConnections: 1, maxConnectionsPerAddress: 1 });
    admission.admit('a');

    admission.admit('a');

    expect(admission.counts).toMatchObject({ refusedTotal: 1, refusedPerAddress: 0 });
  });
});
