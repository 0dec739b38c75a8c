/** A world of processes for tests of the directory lock: they start, and die when told to. */

import type { Liveness, ProcessIdentity, ProcessTable } from '../lock/process-table.ts';

export interface FakeProcess extends ProcessTable {
  /** From now on everybody finds this process dead. Stopping what it does is the test's part. */
  kill(): void;
}

export interface FakeProcessWorld {
  /** Starts a process. Processes of another `host` or `pidNamespace` cannot see each other, as in real life. */
  start(where?: { readonly host?: string; readonly pidNamespace?: string; readonly bootId?: string }): FakeProcess;
}

/** An empty world. Process numbers, start times and tokens count up from 1. */
export function fakeProcessWorld(): FakeProcessWorld {
  const living = new Set<string>();
  let started = 0;
  let tokens = 0;
  return {
    start: (where = {}) => {
      started++;
      const identity: ProcessIdentity = {
        pid: started,
        host: 'test-host',
        bootId: 'boot-1',
        pidNamespace: 'pid:[1]',
        startTicks: 100 * started,
        ...where,
      };
      living.add(keyOf(identity));
      return {
        self: () => identity,
        isAlive: (other) => livenessSeenFrom(identity, other, living),
        newToken: () => `token-${++tokens}`,
        kill: () => void living.delete(keyOf(identity)),
      };
    },
  };
}

/** A table with one live process in it, for callers that only need to open something. */
export function fakeProcessTable(): ProcessTable {
  return fakeProcessWorld().start();
}

function livenessSeenFrom(self: ProcessIdentity, other: ProcessIdentity, living: ReadonlySet<string>): Liveness {
  if (other.host !== self.host) return 'unknown';
  if (other.bootId !== self.bootId) return 'dead';
  if (other.pidNamespace !== self.pidNamespace) return 'unknown';
  return living.has(keyOf(other)) ? 'alive' : 'dead';
}

function keyOf({ host, bootId, pidNamespace, pid, startTicks }: ProcessIdentity): string {
  return [host, bootId, pidNamespace, pid, startTicks].join(' ');
}
