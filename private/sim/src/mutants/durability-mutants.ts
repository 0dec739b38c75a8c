/** Known bugs in what is durable when. */

import type { Mutant } from './mutant.ts';

export const durabilityMutants: readonly Mutant[] = [
  {
    name: 'acknowledges-before-durable',
    file: 'node/append-lane.ts',
    find: '    this.#write({ entries, hardState, snapshot }).then(',
    replace: '    Promise.race([this.#write({ entries, hardState, snapshot }), Promise.resolve()]).then(',
    foundBy: ['commits', 'disk', 'leaders'],
    why: 'P1, P17: what promises durability is sent as soon as the write was handed in.',
  },
  {
    name: 'log-not-synced',
    file: 'storage/sync-group.ts',
    find: '          return this.#sync();',
    replace: '          return Promise.resolve();',
    foundBy: ['disk'],
    why: 'P17: entries are acknowledged that were never synced.',
  },
  {
    name: 'vote-not-synced',
    file: 'storage/hard-state-file.ts',
    find: '    await this.#handle.sync();',
    replace: '',
    foundBy: ['disk', 'leaders'],
    why: 'P9, P10: a vote is answered before it is durable.',
  },
  {
    name: 'vote-not-remembered',
    file: 'core/election.ts',
    find: '    state.vote = from;\n',
    replace: '',
    foundBy: ['leaders', 'commits', 'logs', 'applies'],
    why: 'P10: a node gives its vote to everybody who asks.',
  },
  {
    name: 'stale-append-counts',
    file: 'core/terms.ts',
    find: "  } else if (kind === 'storage-append-response') {",
    replace: "  } else if (kind === 'storage-append-response' && message.index === -1) {",
    foundBy: ['assertion', 'recovery'],
    why: 'P42: what the append thread says about an earlier term is not heard at all, the snapshot that is durable included.',
  },
  {
    name: 'entries-before-their-term',
    file: 'storage/durable-storage.ts',
    find: 'const mustWait = changesVote || snapshot',
    replace: 'const mustWait = (changesVote && entries.length === 0) || snapshot',
    foundBy: ['disk', 'failure', 'assertion'],
    why: 'Behaviour 36: entries of a term are durable, and the term and the vote are not.',
  },
  {
    name: 'snapshot-not-saved',
    file: 'storage/durable-storage.ts',
    find: '    if (snapshot !== undefined) {\n      await this.#syncs.idle();\n      await this.#publish(snapshot);\n    }\n',
    replace: '',
    foundBy: ['disk', 'failure', 'order', 'recovery'],
    why: 'P13, P15: the log begins behind a snapshot that is not there.',
  },
  {
    name: 'cache-not-cut',
    file: 'storage/entry-cache.ts',
    find: '    else this.#truncate(first);\n',
    replace: '',
    foundBy: ['assertion', 'logs', 'applies', 'clients', 'recovery'],
    why: 'P31: the cache of entries is not cut where the log is.',
  },
  {
    name: 'failed-sync-forgotten',
    file: 'storage/durable-storage.ts',
    find: '      throw this.#refuse(error);\n    }\n  }\n\n  async #publish',
    replace: '      if (isDiskFull(error)) throw this.#refuse(error);\n    }\n  }\n\n  async #publish',
    foundBy: ['disk'],
    why: 'P18: a sync that failed counts as one that did not.',
  },
];
