/** Known bugs of whole servers: the state machine, sessions, snapshots, reads, and the door for other nodes. */

import type { Mutant } from './mutant.ts';

export const serverMutants: readonly Mutant[] = [
  {
    name: 'answers-not-loaded',
    of: 'server',
    file: 'machine/machine-state.ts',
    find: '    const isNews = serial > session.top || settled > session.settled;',
    replace: '    const isNews = serial < 0 && settled > session.settled;',
    foundBy: ['history', 'rows', 'sessions'],
    why: 'A snapshot, or a start, forgets which writes of a session were done: they are done again.',
  },
  {
    name: 'expiry-by-own-clock',
    of: 'server',
    file: 'machine/machine-writer.ts',
    find: 'this.#executor.execute(command, entry);',
    replace:
      'this.#executor.execute({ ...command, timeMs: Math.max(command.timeMs, Math.floor(1_800_000_000_000 + 2 * clock.now())) }, entry);',
    foundBy: ['rows', 'sessions', 'order'],
    why: 'Sessions end when the clock of each node says so, and not when the log does.',
  },
  {
    name: 'durable-when-applied',
    of: 'server',
    file: 'machine/kaya-machine.ts',
    find: '  get durableIndex(): number {\n    return this.#slot.engine.durableIndex!;',
    replace: '  get durableIndex(): number {\n    return this.#appliedIndex;',
    foundBy: ['disk', 'failure', 'assertion'],
    why: 'The log is cut behind what the store has only in memory.',
  },
  {
    name: 'snapshot-linked-before-durable',
    of: 'server',
    file: 'machine/group-folders.ts',
    find: '  await fs.syncDirectory(temporary);\n',
    replace: '',
    foundBy: ['failure', 'disk', 'rows', 'recovery', 'assertion'],
    why: 'The folder of a snapshot has its name before the names in it survive power loss.',
  },
  {
    name: 'lease-of-five-elections',
    of: 'server',
    file: 'group/group.ts',
    find: 'const LEASE_SHARE = 0.75;',
    replace: 'const LEASE_SHARE = 5;',
    foundBy: ['history'],
    why: 'A leader reads by its lease when another one was elected.',
  },
  {
    name: 'wiped-directory-let-in',
    of: 'server',
    file: 'group/peer-door.ts',
    find: '    if (known === undefined || known === incarnation) return true;',
    replace: '    if (known === undefined || known > 0) return true;',
    foundBy: ['fences', 'history', 'leaders', 'failure', 'assertion', 'recovery'],
    why: 'A node that has lost its votes and its log counts as the one that it was.',
  },
  {
    name: 'unknown-told-as-refused',
    of: 'server',
    file: 'replica/explain-raft-error.ts',
    find: "      return new ReplicaError('KAYA_UNKNOWN_OUTCOME', message, { cause: error });",
    replace: "      return new ReplicaError('KAYA_OVERLOADED', message, { cause: error });",
    foundBy: ['history'],
    why: 'A client is told that a write was not done, and it was, or will be.',
  },
  {
    name: 'range-delete-of-one-key',
    of: 'server',
    file: 'machine/command-executor.ts',
    find: 'return this.#pending.deleteRange(userKey(operation.from), end);',
    replace: 'return end.length > 0 ? this.#pending.delete(userKey(operation.from)) : undefined;',
    foundBy: ['history'],
    why: 'All nodes agree on what is wrong: only a client can see it.',
  },
];
