/** kayactl as an operator of a cluster types it: with the addresses of all nodes, and the operator's token in a file. */

import { writeFileSync } from 'node:fs';

import { type ProcessResult, runKayactl } from '../processes.ts';
import type { ClusterProcesses } from './cluster-processes.ts';
import type { RunFolder } from './run-folder.ts';

export interface OperatorKey {
  readonly token: string;
  readonly file: string;
  /** Of a node that asks for it. */
  readonly flags: readonly string[];
}

/** Puts the token where its owner alone can read it. */
export function placeOperatorToken(folder: RunFolder, token: string): OperatorKey {
  const file = folder.at('operator-token');
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return { token, file, flags: ['--operator-token-file', file] };
}

export class Operator {
  readonly #cluster: ClusterProcesses;
  readonly #key: OperatorKey;
  readonly #flags: readonly string[];

  /** @param flags - For every command, such as whom to trust. */
  constructor(cluster: ClusterProcesses, key: OperatorKey, flags: readonly string[] = []) {
    this.#cluster = cluster;
    this.#key = key;
    this.#flags = flags;
  }

  try(...argv: readonly string[]): Promise<ProcessResult> {
    const servers = this.#cluster.addresses.flatMap((address) => ['--server', address]);
    return runKayactl([...servers, '--operator-token-file', this.#key.file, ...this.#flags, ...argv]);
  }

  /** @throws Error with what was said when it does not end with 0. */
  async do(...argv: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.try(...argv);
    if (exitCode !== 0) throw new Error(`kayactl ${argv.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Starts a node and has the others take it in as a voter. */
  async add(place: number): Promise<void> {
    const { raftAddresses, addresses } = this.#cluster;
    const added = this.do('add-node', String(place + 1), raftAddresses[place]!, addresses[place]!, '--wait');
    await Promise.all([this.#cluster.join(place), added]);
  }

  /** Numbers of nodes by what they are. */
  async kinds(): Promise<Readonly<Record<number, string>>> {
    const { members } = JSON.parse(await this.do('members', '--json')) as {
      readonly members: readonly { readonly node: number; readonly kind: string }[];
    };
    return Object.fromEntries(members.map(({ node, kind }) => [node, kind]));
  }
}
